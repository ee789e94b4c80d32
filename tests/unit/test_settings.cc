#include "pools/settings.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "util/size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace zraid {
namespace {

using test::failure;
using test::FakeSystem;
using testing::HasSubstr;

class SettingsFile : public testing::Test
{
protected:
    MemoryPolicy memory(const std::string& content)
    {
        system_.put("etc/zraid.conf", content);
        return load_settings(system_.paths).memory;
    }
    std::string problem(const std::string& content)
    {
        return failure([&] { memory(content); });
    }

    FakeSystem system_;
};

TEST_F(SettingsFile, NeedNotBeThere)
{
    const MemoryPolicy policy = load_settings(system_.paths).memory;
    EXPECT_EQ(policy.percent, 90U);
    EXPECT_FALSE(policy.limit);
}

TEST_F(SettingsFile, LimitsMemory)
{
    EXPECT_EQ(memory("").percent, 90U);
    EXPECT_EQ(memory("# a note\n\n  memory-limit = 50% # half\n").percent, 50U);
    EXPECT_EQ(memory("memory-limit=0%").percent, 0U);
    EXPECT_EQ(memory("memory-limit = 8G\n").limit, 8 * GiB);
}

TEST_F(SettingsFile, GetsALimitAdded)
{
    EXPECT_FALSE(has_memory_limit(system_.paths));
    add_memory_limit(system_.paths, "70%");
    EXPECT_TRUE(has_memory_limit(system_.paths));
    EXPECT_EQ(load_settings(system_.paths).memory.percent, 70U);

    system_.put("etc/zraid.conf", "# memory-limit = 10%\n# a note");
    EXPECT_FALSE(has_memory_limit(system_.paths));
    add_memory_limit(system_.paths, "4KiB");
    EXPECT_EQ(read_file(system_ / "etc/zraid.conf"),
              "# memory-limit = 10%\n# a note\nmemory-limit = 4KiB\n");
    EXPECT_EQ(load_settings(system_.paths).memory.limit, 4 * KiB);
    EXPECT_EQ(test::failure_code([&] { add_memory_limit(system_.paths, "much"); }), 2);
}

TEST_F(SettingsFile, SaysWhatIsWrongAndWhere)
{
    EXPECT_THAT(problem("\nmemory-limit = 101%\n"), HasSubstr("zraid.conf, line 2: '101%'"));
    EXPECT_THAT(problem("memory-limit = %"), HasSubstr("line 1"));
    EXPECT_THAT(problem("memory-limit = much"), HasSubstr("line 1"));
    EXPECT_THAT(problem("memory_limit = 8G"), HasSubstr("there is no setting 'memory_limit'"));
    EXPECT_THAT(problem("memory-limit"), HasSubstr("line 1"));
}

TEST_F(SettingsFile, IsRefusedIfEverybodyMayWriteToIt)
{
    system_.put("etc/zraid.conf", "");
    ::chmod((system_.paths.etc / "zraid.conf").c_str(), 0666);
    EXPECT_THAT(failure([&] { load_settings(system_.paths); }), HasSubstr("zraid.conf"));
}

} // namespace
} // namespace zraid
