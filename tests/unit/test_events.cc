#include "admin/events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kJournal =
    R"({"__REALTIME_TIMESTAMP":"1700000000000000","SYSLOG_IDENTIFIER":"zraid-hook","PRIORITY":"4","MESSAGE":"pool 'vm' runs from its disk leg alone"}
{"__REALTIME_TIMESTAMP":"1700000001500000","SYSLOG_IDENTIFIER":"kernel","PRIORITY":"1","MESSAGE":"md/raid1:md100: Disk failure on loop1, disabling device.\nmd/raid1:md100: Operation continuing"}
not json
{"MESSAGE":[1,2,3],"SYSLOG_IDENTIFIER":"zraid-hook"}
{"SYSLOG_IDENTIFIER":"zraid-hook","MESSAGE":"pool 'vm2': something"}
{"SYSLOG_IDENTIFIER":"kernel","MESSAGE":"md/raid1:md1001: Disk failure"}
{"SYSLOG_IDENTIFIER":"zraid-pool","MESSAGE":"md100: said by nobody but the kernel"}
)";

TEST(ParseEvents, TakesWhatIsAboutThePoolAndItsArray)
{
    const auto events = parse_events(kJournal, "vm", 100);
    ASSERT_THAT(events, SizeIs(2));
    EXPECT_EQ(events[0].source, "zraid-hook");
    EXPECT_EQ(events[0].priority, 4);
    EXPECT_EQ(events[0].message, "pool 'vm' runs from its disk leg alone");
    EXPECT_EQ(std::chrono::system_clock::to_time_t(events[0].time), 1'700'000'000);
    EXPECT_EQ(events[1].source, "kernel");
    EXPECT_EQ(events[1].message.find('\n'), std::string::npos);
    EXPECT_EQ(events[1].priority, 1);
}

TEST(ParseEvents, KnowsNoArrayWhereThereIsNone)
{
    EXPECT_THAT(parse_events(kJournal, "vm", -1), SizeIs(1));
    EXPECT_THAT(parse_events(kJournal, "other", -1), IsEmpty());
    EXPECT_THAT(parse_events("", "vm", 100), IsEmpty());
}

} // namespace
} // namespace zraid
