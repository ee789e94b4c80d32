#include "support/failure.h"
#include "support/temporary_folder.h"
#include "util/fd.h"

#include <cerrno>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace zraid {
namespace {

using test::failure;
using test::TemporaryFolder;

bool is_open(int fd)
{
    return ::fcntl(fd, F_GETFD) != -1; // NOLINT(*-vararg)
}

TEST(UniqueFdTest, ClosesAtTheEndOfItsLife)
{
    int number = -1;
    {
        const UniqueFd fd = open_file("/dev/null", O_RDONLY);
        number = fd.get();
        EXPECT_TRUE(fd);
        EXPECT_TRUE(is_open(number));
    }
    EXPECT_FALSE(is_open(number));
}

TEST(UniqueFdTest, IsEmptyWithoutAFile)
{
    UniqueFd fd;
    EXPECT_FALSE(fd);
    EXPECT_EQ(fd.get(), -1);
    fd.reset();
    EXPECT_FALSE(fd);
}

TEST(UniqueFdTest, MovesItsFile)
{
    UniqueFd first = open_file("/dev/null", O_RDONLY);
    const int number = first.get();
    UniqueFd second(std::move(first));
    EXPECT_FALSE(first); // NOLINT(bugprone-use-after-move): that is what is tested
    EXPECT_EQ(second.get(), number);

    UniqueFd third = open_file("/dev/zero", O_RDONLY);
    const int replaced = third.get();
    third = std::move(second);
    EXPECT_EQ(third.get(), number);
    EXPECT_FALSE(is_open(replaced));
    EXPECT_TRUE(is_open(number));

    UniqueFd& same = third;
    third = std::move(same);
    EXPECT_EQ(third.get(), number) << "moved to itself";
    EXPECT_TRUE(is_open(number));
    third.reset();
    EXPECT_FALSE(is_open(number));
}

TEST(OpenFile, IsNotInherited)
{
    const UniqueFd fd = open_file("/dev/null", O_RDONLY);
    EXPECT_EQ(::fcntl(fd.get(), F_GETFD), FD_CLOEXEC); // NOLINT(*-vararg)
    const UniqueFd other = open_if_there("/dev/null", O_RDONLY);
    EXPECT_EQ(::fcntl(other.get(), F_GETFD), FD_CLOEXEC); // NOLINT(*-vararg)
}

TEST(OpenFile, MakesAFileWithTheMode)
{
    const TemporaryFolder folder;
    const std::string path = folder / "lock";
    open_file(path, O_RDWR | O_CREAT, 0600);
    struct stat info = {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST(OpenFile, NamesThePath)
{
    EXPECT_EQ(failure([] { open_file("/no/such/file", O_RDONLY); }),
              "open '/no/such/file': No such file or directory");
}

TEST(OpenIfThere, IsEmptyOnlyWhereNothingIs)
{
    const TemporaryFolder folder;
    const std::string fifo = folder / "fifo";
    EXPECT_TRUE(open_if_there(folder.put("file", ""), O_RDONLY));
    EXPECT_FALSE(open_if_there(folder / "missing", O_RDONLY));
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    EXPECT_FALSE(open_if_there(fifo, O_WRONLY | O_NONBLOCK)) << "ENXIO, as from a dead device";
    const std::string loop = folder.link("loop", "loop");
    EXPECT_EQ(failure([&] { open_if_there(loop, O_RDONLY); }),
              "open '" + loop + "': Too many levels of symbolic links");
}

TEST(OpenStandardFds, OpensWhatTheCallerLeftClosed)
{
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::close(STDIN_FILENO);
        ::close(STDERR_FILENO);
        open_standard_fds();
        char c = 0;
        const bool right = is_open(0) && is_open(1) && is_open(2) && ::read(0, &c, 1) == 0 &&
                           ::write(2, "x", 1) == 1 && open_file("/dev/null", O_RDONLY).get() > 2;
        ::_exit(right ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
}

TEST(OpenStandardFds, LeavesTheOthersAlone)
{
    const UniqueFd out(::dup(STDOUT_FILENO));
    open_standard_fds();
    struct stat before = {};
    struct stat after = {};
    ASSERT_EQ(::fstat(out.get(), &before), 0);
    ASSERT_EQ(::fstat(STDOUT_FILENO, &after), 0);
    EXPECT_EQ(before.st_ino, after.st_ino);
    EXPECT_EQ(before.st_dev, after.st_dev);
}

} // namespace
} // namespace zraid
