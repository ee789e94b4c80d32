#include "devices/mounts.h"
#include "support/fake_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::FakeSystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Mounts, AreReadAsTheKernelWritesThem)
{
    const FakeSystem system;
    system.put("proc/self/mountinfo",
               "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
               "90 22 9:100 / /mnt/a\\040b\\134c rw,nosuid shared:7 master:1 - xfs /dev/md100 rw\n"
               "91 22 9:100 /x /srv rw - xfs /dev/md100 rw\n"
               "broken line\n");
    const auto mounts = list_mounts(system.paths);
    ASSERT_EQ(mounts.size(), 3U);
    EXPECT_EQ(mounts[0].device, "8:1");
    EXPECT_EQ(mounts[1].source, "/dev/md100");
    EXPECT_THAT(mount_points_of(system.paths, "md100"), IsEmpty()) << "no such device";
    system.put("sys/block/md100/dev", "9:100\n");
    EXPECT_THAT(mount_points_of(system.paths, "md100"), ElementsAre("/mnt/a b\\c", "/srv"));
}

} // namespace
} // namespace zraid
