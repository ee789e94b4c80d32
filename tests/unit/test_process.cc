#include "support/background.h"
#include "support/failure.h"
#include "support/log_capture.h"
#include "support/temporary_folder.h"
#include "util/fd.h"
#include "util/files.h"
#include "util/process.h"

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace zraid {
namespace {

using test::Background;
using test::failure;
using test::LogCapture;
using test::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

/// A shell script to be run, as short as these tests need it.
Command shell(const std::string& script)
{
    return Command{{"sh", "-c", script}};
}

/// Both ends of a pipe, not inherited.
struct Pipe
{
    Pipe()
    {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0)
            throw SystemError(errno, "pipe");
        reader = UniqueFd(ends[0]);
        writer = UniqueFd(ends[1]);
    }
    /// Are all writers gone, at the latest after some seconds?
    bool ends(int milliseconds = 10'000) const
    {
        pollfd entry{reader.get(), POLLIN, 0};
        return ::poll(&entry, 1, milliseconds) == 1 && (entry.revents & POLLHUP) != 0;
    }
    UniqueFd reader;
    UniqueFd writer;
};

TEST(Run, KeepsBothStreamsApart)
{
    const CommandResult result = run(shell("echo out; echo err >&2; echo more"));
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(result.out, "out\nmore\n");
    EXPECT_EQ(result.err, "err\n");
}

TEST(Run, RefusesOtherExitCodesThanTheAcceptedOnes)
{
    EXPECT_EQ(failure([] { run(shell("exit 3")); }), "run 'sh -c exit 3': exit code 3: no output");
    Command command = shell("echo result; exit 3");
    command.accepted = {0, 3};
    const CommandResult result = run(command);
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_EQ(result.out, "result\n");
    command.accepted = {1};
    EXPECT_THAT(failure([&] { run(command); }), HasSubstr("exit code 3"));
}

TEST(Run, TellsWhatTheProgramSaid)
{
    EXPECT_EQ(failure([] { run(shell("echo a; echo b >&2; echo c >&2; exit 1")); }),
              "run 'sh -c echo a; echo b >&2; echo c >&2; exit 1': exit code 1: b c");
    EXPECT_EQ(failure([] { run(shell("echo a; echo >&2; exit 1")); }),
              "run 'sh -c echo a; echo >&2; exit 1': exit code 1: a")
        << "stdout where stderr is blank";
}

TEST(Run, TakesHugeOutputOnBothStreams)
{
    const CommandResult result =
        run(shell("head -c 5000000 /dev/zero | tr '\\0' a; head -c 3000000 /dev/zero | tr '\\0' b "
                  ">&2; head -c 1000000 /dev/zero"));
    EXPECT_EQ(result.out.size(), 6'000'000U);
    EXPECT_EQ(result.err.size(), 3'000'000U);
    EXPECT_EQ(result.out.substr(0, 5'000'000).find_first_not_of('a'), std::string::npos);
    EXPECT_EQ(result.err.find_first_not_of('b'), std::string::npos);
}

TEST(Run, BoundsTheOutput)
{
    EXPECT_THAT(failure([] { run(shell("head -c 70000000 /dev/zero")); }),
                HasSubstr("longer than 67108864 bytes"));
}

TEST(Run, PassesArgumentsAsTheyAre)
{
    EXPECT_EQ(run({{"printf", "%s|", "$(id)", "a b", "'", "", "*"}}).out, "$(id)|a b|'||*|");
}

TEST(Run, SaysWhichProgramIsNotThere)
{
    EXPECT_EQ(failure([] {
                  run({{"zraid-no-such-program", "--now"}});
              }),
              "run 'zraid-no-such-program': not found in /usr/sbin, /usr/bin, /sbin or /bin. Next: "
              "install the package that holds 'zraid-no-such-program'");
    EXPECT_EQ(failure([] { run({{"/no/such/program"}}); }),
              "run '/no/such/program': No such file or directory");
}

TEST(Run, TellsNotExecutableFromNotThere)
{
    const TemporaryFolder folder;
    const std::string file = folder.put("program", "#!/bin/sh\nexit 0\n");
    EXPECT_EQ(failure([&] { run({{file}}); }), "run '" + file + "': Permission denied");
    const std::string other = folder.put("text", "no program\n");
    ::chmod(other.c_str(), 0755);
    EXPECT_EQ(failure([&] { run({{other}}); }), "run '" + other + "': Exec format error")
        << "no shell may be tried";
}

TEST(Run, IgnoresTheCallersPath)
{
    const TemporaryFolder folder;
    const auto file = folder.put("zraid-planted", "#!/bin/sh\nexit 0\n");
    ::chmod(file.c_str(), 0755);
    const std::string old = std::getenv("PATH"); // NOLINT(concurrency-mt-unsafe)
    ::setenv("PATH", folder.path().c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
    const std::string text = failure([] { run({{"zraid-planted"}}); });
    ::setenv("PATH", old.c_str(), 1); // NOLINT(concurrency-mt-unsafe)
    EXPECT_THAT(text, StartsWith("run 'zraid-planted': not found"));
    EXPECT_EQ(run({{file}}).exit_code, 0);
}

TEST(Run, FixesTheEnvironment)
{
    ::setenv("ZRAID_EVIL", "1", 1); // NOLINT(concurrency-mt-unsafe)
    EXPECT_EQ(run({{"env"}}).out, "LC_ALL=C\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n");
}

TEST(Run, TellsTheSignalThatEndedIt)
{
    EXPECT_EQ(failure([] { run(shell("echo bye >&2; kill -TERM $$")); }),
              "run 'sh -c echo bye >&2; kill -TERM $$': ended by signal 15: bye");
}

TEST(Run, GivesTheChildCleanSignals)
{
    auto* const old = std::signal(SIGTERM, SIG_IGN);
    sigset_t term{};
    sigset_t old_mask{};
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &term, &old_mask);
    const std::string text = failure([] { run(shell("kill -TERM $$; echo alive")); });
    ::pthread_sigmask(SIG_SETMASK, &old_mask, nullptr);
    std::signal(SIGTERM, old);
    EXPECT_THAT(text, HasSubstr("ended by signal 15"));
}

TEST(Run, KillsWhatTakesTooLong)
{
    Command command = shell("echo begun; sleep 60");
    command.timeout = Milliseconds{3000};
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(failure([&] { run(command); }),
              "run 'sh -c echo begun; sleep 60': not done after 3 s, killed: begun");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, Milliseconds{20'000});
}

TEST(Run, KillsTheChildrenOfWhatTakesTooLong)
{
    // The pipe's writing end is closed when the last of them is gone.
    Pipe pipe;
    Command command = shell("sleep 60 & (trap '' TERM; sleep 60) & wait");
    command.timeout = Milliseconds{300};
    command.keep_open = {pipe.writer.get()};
    EXPECT_THAT(failure([&] { run(command); }), HasSubstr("killed: no output"));
    pipe.writer.reset();
    EXPECT_TRUE(pipe.ends());
}

TEST(Run, GivesAnEmptyStdin)
{
    Pipe pipe;
    const UniqueFd old(::dup(STDIN_FILENO));
    ASSERT_GE(::dup2(pipe.reader.get(), STDIN_FILENO), 0);
    ASSERT_EQ(::write(pipe.writer.get(), "secret", 6), 6);
    EXPECT_EQ(run({{"cat"}}).out, "");
    std::array<char, 8> buffer{};
    EXPECT_EQ(::read(pipe.reader.get(), buffer.data(), buffer.size()), 6) << "still there for us";
    ASSERT_GE(::dup2(old.get(), STDIN_FILENO), 0);
}

TEST(Run, NeverLetsAGrandchildHoldOurOutput)
{
    // libvirt waits until nobody holds the hook's stdout and stderr any more.
    Pipe pipe;
    const UniqueFd old_out(::dup(STDOUT_FILENO));
    const UniqueFd old_err(::dup(STDERR_FILENO));
    ASSERT_GE(::dup2(pipe.writer.get(), STDOUT_FILENO), 0);
    ASSERT_GE(::dup2(pipe.writer.get(), STDERR_FILENO), 0);
    std::string text;
    std::string pid;
    text = failure([&] { pid = run(shell("sleep 60 & echo $!")).out; });
    ::dup2(old_out.get(), STDOUT_FILENO);
    ::dup2(old_err.get(), STDERR_FILENO);
    pipe.writer.reset();
    ASSERT_EQ(text, "no error");
    const Background grandchild(pid);
    EXPECT_TRUE(pipe.ends());
}

TEST(Run, DoesNotWaitForGrandchildren)
{
    const auto begin = std::chrono::steady_clock::now();
    const Background grandchild(run(shell("sleep 60 & echo $!")).out);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, Milliseconds{20'000});
}

TEST(Run, LeavesOurDescriptorsToUsExceptTheKeptOnes)
{
    const TemporaryFolder folder;
    const UniqueFd secret = open_file(folder.put("secret", ""), O_RDONLY);
    const UniqueFd kept = open_file(folder.put("kept", ""), O_RDONLY);
    Command command = shell("ls -l /proc/self/fd");
    command.keep_open = {kept.get()};
    EXPECT_THAT(run(command).out, AllOf(HasSubstr((folder / "kept").string()),
                                        Not(HasSubstr((folder / "secret").string()))));
}

TEST(Run, WorksWhereStdinStdoutAndStderrAreClosed)
{
    // The memory files then get the numbers 0 to 2.
    const pid_t pid = ::fork();
    if (pid == 0) {
        for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
            ::close(fd);
        int code = 1;
        try {
            const CommandResult result = run(shell("cat; echo out; echo err >&2"));
            code = result.out == "out\n" && result.err == "err\n" ? 0 : 2;
        } catch (const std::exception&) {
            code = 3;
        }
        ::_exit(code);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0) << "2: output lost, 3: not run";
}

TEST(Run, LogsTheCommandItsEndAndTheTimeTaken)
{
    const LogCapture log(LogLevel::debug);
    Command command = shell("exit 4");
    command.accepted = {4};
    run(command);
    EXPECT_THAT(log.lines(),
                ElementsAre(MatchesRegex("debug: ran 'sh -c exit 4': exit code 4, [0-9]+ ms")));
}

TEST(Run, GivesTheProgramItsInput)
{
    Command command{{"cat"}};
    command.input = std::string(300'000, 'x') + std::string("\0end\n", 5);
    EXPECT_EQ(run(command).out, command.input);
    command.input.clear();
    EXPECT_EQ(run(command).out, "") << "nothing, and no waiting for it";
}

TEST(Run, GivesOnOutputAsItComes)
{
    std::vector<std::string> texts;
    Command command = shell("echo one; while [ ! -e \"$0\" ]; do sleep 0.05; done; echo two");
    const TemporaryFolder folder;
    command.argv.push_back(folder / "go");
    command.on_output = [&](const std::string& text) {
        texts.push_back(text);
        folder.put("go", "");
    };
    EXPECT_EQ(run(command).out, "one\ntwo\n");
    EXPECT_THAT(texts, ElementsAre("one\n", "two\n"));
}

TEST(Run, LimitsTheTimeOfSilence)
{
    Command command = shell("for i in 1 2 3 4 5 6; do echo $i; sleep 0.5; done; sleep 60");
    command.timeout = Milliseconds{2000};
    std::string all;
    command.on_output = [&](const std::string& text) { all += text; };
    EXPECT_THAT(failure([&] { run(command); }), HasSubstr("no progress after 2 s, killed"));
    EXPECT_EQ(all, "1\n2\n3\n4\n5\n6\n");
}

TEST(Run, EndsTheProgramIfItsReaderFails)
{
    Command command = shell("echo x; sleep 60");
    command.on_output = [](const std::string&) { throw Error("enough"); };
    EXPECT_EQ(failure([&] { run(command); }), "enough");
}

} // namespace
} // namespace zraid
