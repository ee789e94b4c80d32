#include "devices/write_errors.h"
#include "support/fake_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace zraid {
namespace {

using ::testing::HasSubstr;

// An error takes a device that refuses to write: tests/lab.

TEST(WriteErrorsTest, AreNoneOfAGoodFile)
{
    const test::FakeSystem system;
    const auto file = system.put("image", "content");
    const WriteErrors errors(system.paths, file);
    EXPECT_EQ(errors.look(), "");
    EXPECT_EQ(errors.flush(), "");
    EXPECT_EQ(errors.file(), file_id(file));
    EXPECT_EQ(image_trouble(system.paths, file), "");
}

TEST(WriteErrorsTest, OfAFileThatIsNotThereTheFlushIsNoProof)
{
    const test::FakeSystem system;
    const auto file = system.path() / "gone";
    const WriteErrors errors(system.paths, file);
    EXPECT_EQ(errors.look(), "");
    EXPECT_THAT(errors.flush(), HasSubstr("No such file"));
    EXPECT_EQ(errors.file(), std::nullopt);
    EXPECT_EQ(image_trouble(system.paths, file), "");
}

TEST(WriteErrorsTest, AFileThatCannotBeAskedIsNoError)
{
    const test::FakeSystem system;
    const WriteErrors errors(system.paths, "/dev/null"); // ESPIPE, each time
    EXPECT_EQ(errors.look(), "");
}

TEST(WriteErrorsTest, AFileThatCannotBeLookedAtIsInTrouble)
{
    const test::FakeSystem system;
    const std::string loop = system.path() / "loop"; // ELOOP, for root as well
    std::filesystem::create_symlink(loop, loop);
    EXPECT_THAT(WriteErrors(system.paths, loop).look(), HasSubstr("symbolic links"));
    EXPECT_THAT(image_trouble(system.paths, loop), HasSubstr("symbolic links"));
}

TEST(WriteErrorsTest, TheDeviceOfTheFileSystemIsGone)
{
    const test::FakeSystem system;
    const std::string file = system.put("image", "content");
    struct stat info = {};
    ASSERT_EQ(::stat(file.c_str(), &info), 0);
    system.put("sys/dev/block/7:77/ro", "0\n");
    // The folder of the test may be on one without a device, such as tmpfs.
    const char* expected =
        gnu_dev_major(info.st_dev) == 0 ? "" : "the device of its file system is gone";
    EXPECT_EQ(WriteErrors(system.paths, file).look(), expected);
}

} // namespace
} // namespace zraid
