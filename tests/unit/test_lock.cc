#include "support/background.h"
#include "support/failure.h"
#include "support/temporary_folder.h"
#include "util/files.h"
#include "util/lock.h"
#include "util/process.h"

#include <memory>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zraid {
namespace {

using test::Background;
using test::failure;
using test::TemporaryFolder;
using ::testing::HasSubstr;

constexpr Milliseconds kShort{30};
constexpr Milliseconds kLong{10'000};

bool is_free(const std::filesystem::path& path)
{
    const UniqueFd fd = open_file(path, O_RDWR);
    return ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0;
}

TEST(FileLockTest, MakesItsFileAndFolder)
{
    const TemporaryFolder folder;
    const auto path = folder / "run/locks/vm";
    const FileLock lock(path, kShort);
    struct stat info = {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    ASSERT_EQ(::stat((folder / "run/locks").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0700U);
}

TEST(FileLockTest, SecondHolderGivesUpAndNamesTheFirst)
{
    const TemporaryFolder folder;
    const auto path = folder / "vm";
    const FileLock lock(path, kShort);
    EXPECT_EQ(failure([&] { const FileLock second(path, kShort); }),
              fmt::format("lock '{}': still held after 0 s, last taken by process {} unit_tests. "
                          "Next: wait for it to end or look at what it waits for, then try again",
                          path.string(), ::getpid()));
    EXPECT_FALSE(is_free(path)) << "the failed attempt must not release it";
}

TEST(FileLockTest, NamesNobodyWhereTheHolderDidNot)
{
    const TemporaryFolder folder;
    const auto path = folder.put("vm", "");
    const UniqueFd other = open_file(path, O_RDWR);
    ASSERT_EQ(::flock(other.get(), LOCK_EX), 0);
    EXPECT_THAT(failure([&] { const FileLock lock(path, kShort); }),
                HasSubstr("last taken by process unknown"));
}

TEST(FileLockTest, NamesOnlyTheLastHolder)
{
    const TemporaryFolder folder;
    const auto path = folder.put("vm", "1234567 a-command-with-a-long-name\nmore\n");
    const FileLock lock(path, kShort);
    EXPECT_EQ(read_file(path), fmt::format("{} unit_tests\n", ::getpid()));
}

TEST(FileLockTest, IsReleasedAtDestructionAndKeepsItsFile)
{
    const TemporaryFolder folder;
    const auto path = folder / "vm";
    {
        const FileLock lock(path, kShort);
        EXPECT_FALSE(is_free(path));
    }
    EXPECT_TRUE(is_free(path));
    EXPECT_EQ(failure([&] { const FileLock second(path, kShort); }), "no error");
}

TEST(FileLockTest, WaitsForTheHolder)
{
    const TemporaryFolder folder;
    const auto path = folder / "vm";
    auto first = std::make_unique<FileLock>(path, kShort);
    std::thread releaser([&] {
        std::this_thread::sleep_for(Milliseconds{100});
        first.reset();
    });
    EXPECT_EQ(failure([&] { const FileLock second(path, kLong); }), "no error");
    releaser.join();
}

TEST(FileLockTest, StaysWithAChildThatInheritsIt)
{
    const TemporaryFolder folder;
    const auto path = folder / "vm";
    auto lock = std::make_unique<FileLock>(path, kShort);
    Command command{{"sh", "-c", "sleep 60 & echo $!"}};
    command.keep_open = {lock->fd()};
    Background orphan(run(command).out);
    lock.reset();
    EXPECT_FALSE(is_free(path));
    orphan.end();
    EXPECT_EQ(failure([&] { const FileLock next(path, kLong); }), "no error");
}

TEST(FileLockTest, IsNotInheritedByOtherChildren)
{
    const TemporaryFolder folder;
    const auto path = folder / "vm";
    auto lock = std::make_unique<FileLock>(path, kShort);
    const Background orphan(run({{"sh", "-c", "sleep 60 & echo $!"}}).out);
    lock.reset();
    EXPECT_TRUE(is_free(path));
}

TEST(FileLockTest, SaysWhyThereCanBeNone)
{
    const TemporaryFolder folder;
    const std::string path = folder.folder("vm");
    EXPECT_EQ(failure([&] { const FileLock lock(path, kShort); }),
              "open '" + path + "': Is a directory");
}

} // namespace
} // namespace zraid
