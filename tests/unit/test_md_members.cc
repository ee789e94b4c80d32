#include "devices/md_members.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "util/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::FakeSystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// What md does with these is for tests/lab.

TEST(ReAddMember, SaysWhichDeviceAndArray)
{
    FakeSystem system;
    EXPECT_EQ(failure([&] { re_add_member(system.paths, 100, "zram1", 1, false); }),
              "re-add 'zram1' to 'md100': No such file or directory");
    system.put("dev/zram1", "");
    EXPECT_THAT(failure([&] { re_add_member(system.paths, 100, "zram1", 1, false); }),
                HasSubstr("dev/md100': No such file"));
    system.put("dev/md100", "");
    EXPECT_EQ(failure([&] { re_add_member(system.paths, 100, "zram1", 1, false); }),
              "re-add 'zram1' to 'md100': Inappropriate ioctl for device");
}

/// What becomes of an array's state when a member is to come, and the ioctl for it fails.
std::string state_when_a_member_comes(const std::string& before)
{
    FakeSystem system;
    system.put("dev/zram1", "");
    system.put("dev/md100", "");
    const auto state = system.put("sys/block/md100/md/array_state", before);
    EXPECT_THAT(failure([&] { re_add_member(system.paths, 100, "zram1", 1, false); }),
                HasSubstr("Inappropriate ioctl"));
    return read_file(state);
}

// The other way round the copy to the member never begins, now and then: 1 attach of 150.
TEST(ReAddMember, EndsReadAutoBeforeTheMemberComes)
{
    EXPECT_THAT(state_when_a_member_comes("read-auto"), StartsWith("active"));
}

TEST(ReAddMember, LeavesAReadOnlyArraySo)
{
    EXPECT_EQ(state_when_a_member_comes("readonly"), "readonly");
}

TEST(FailMember, WritesItsState)
{
    FakeSystem system;
    const auto state = system.put("sys/block/md100/md/dev-zram1/state", "");
    fail_member(system.paths, 100, "zram1");
    EXPECT_EQ(read_file(state), "faulty");
    EXPECT_THAT(failure([&] { fail_member(system.paths, 100, "zram2"); }),
                HasSubstr("No such file"));
}

TEST(RemoveMember, LeavesOneAloneThatIsNone)
{
    FakeSystem system;
    const auto state = system.put("sys/block/md100/md/dev-zram1/state", "");
    remove_member(system.paths, 100, "zram1");
    EXPECT_EQ(read_file(state), "remove");
    EXPECT_EQ(failure([&] { remove_member(system.paths, 100, "zram2"); }), "no error");
}

} // namespace
} // namespace zraid
