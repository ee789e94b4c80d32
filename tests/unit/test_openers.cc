#include "devices/openers.h"
#include "support/fake_system.h"
#include "util/fd.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace zraid {
namespace {

using test::FakeSystem;
using ::testing::HasSubstr;

TEST(Openers, AreThoseThatHaveAFileOpen)
{
    const FakeSystem system;
    const std::string file = system.put("file", "");
    Paths paths = system.paths;
    paths.proc = "/proc";
    EXPECT_EQ(openers_of_file(paths, file), "");
    EXPECT_EQ(openers_of_file(paths, file + "2"), "");
    const UniqueFd fd = open_file(file, O_RDONLY);
    EXPECT_THAT(openers_of_file(paths, file), HasSubstr("(" + std::to_string(::getpid()) + ")"));
    EXPECT_EQ(openers_of_file(paths, file, ::getpid()), "");
}

TEST(Openers, AreThoseThatAreInAFileSystem)
{
    struct stat info = {};
    ASSERT_EQ(::stat("/proc", &info), 0);
    Paths paths;
    const UniqueFd fd = open_file("/proc/version", O_RDONLY);
    EXPECT_THAT(openers_of_device(paths, info.st_dev),
                HasSubstr("(" + std::to_string(::getpid()) + ")"));
}

TEST(DeviceNumber, IsReadFromTheKernel)
{
    const FakeSystem system;
    EXPECT_EQ(device_number(system.paths, "md100"), 0U);
    system.put("sys/block/md100/dev", "9:100\n");
    EXPECT_EQ(device_number(system.paths, "md100"), gnu_dev_makedev(9, 100));
    system.put("sys/class/block/md100p1/dev", "259:3\n");
    EXPECT_EQ(device_number(system.paths, "md100p1"), gnu_dev_makedev(259, 3));
}

} // namespace
} // namespace zraid
