#include "util/process.h"

#include "util/error.h"
#include "util/fd.h"
#include "util/files.h"
#include "util/log.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace zraid {

namespace {

constexpr const char* kPath = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";

std::string find_program(const std::string& name)
{
    if (name.starts_with('/'))
        return name;
    for (const char* folder : {"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"}) {
        if (::access((folder + name).c_str(), X_OK) == 0)
            return folder + name;
    }
    throw Error(fmt::format("run '{}': not found in /usr/sbin, /usr/bin, /sbin or /bin", name),
                fmt::format("install the package that holds '{}'", name));
}

UniqueFd memory_file(const char* name)
{
    const UniqueFd fd(::memfd_create(name, MFD_CLOEXEC));
    // Above the child's own three, which are set up one after the other.
    UniqueFd high(fd ? ::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3) : -1); // NOLINT(*-vararg)
    if (!high)
        throw SystemError(errno, "create a memory file");
    return high;
}

/// A memory file to be read from its begin.
UniqueFd filled_memory_file(const std::string& content)
{
    UniqueFd fd = memory_file("stdin");
    write_all(fd.get(), content, "input of a command");
    ::lseek(fd.get(), 0, SEEK_SET);
    return fd;
}

std::string content_of(const UniqueFd& fd)
{
    ::lseek(fd.get(), 0, SEEK_SET);
    return read_all(fd.get(), "output of a command", 64U << 20U);
}

/// posix_spawn's two argument objects, freed together.
class SpawnPlan
{
public:
    SpawnPlan()
    {
        posix_spawn_file_actions_init(&actions_);
        posix_spawnattr_init(&attributes_);
        // A hook starts with whatever signal state libvirtd has: the child gets a clean one.
        sigset_t all{};
        sigset_t none{};
        sigfillset(&all);
        sigemptyset(&none);
        posix_spawnattr_setsigdefault(&attributes_, &all);
        posix_spawnattr_setsigmask(&attributes_, &none);
        posix_spawnattr_setpgroup(&attributes_, 0);
        posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                                                   POSIX_SPAWN_SETPGROUP);
    }
    ~SpawnPlan()
    {
        posix_spawn_file_actions_destroy(&actions_);
        posix_spawnattr_destroy(&attributes_);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;
    SpawnPlan(SpawnPlan&&) = delete;
    SpawnPlan& operator=(SpawnPlan&&) = delete;

    void connect(int from, int to) { posix_spawn_file_actions_adddup2(&actions_, from, to); }
    void read_nothing()
    {
        posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    }

    pid_t spawn(const std::string& program, const std::vector<std::string>& argv) const
    {
        std::vector<char*> arguments;
        for (const std::string& argument : argv)
            arguments.push_back(const_cast<char*>(argument.c_str())); // NOLINT(*-const-cast)
        arguments.push_back(nullptr);
        std::string locale = "LC_ALL=C";
        std::string path = kPath;
        std::array<char*, 3> environment{locale.data(), path.data(), nullptr};
        pid_t pid = -1;
        const int code = ::posix_spawn(&pid, program.c_str(), &actions_, &attributes_,
                                       arguments.data(), environment.data());
        if (code != 0)
            throw SystemError(code, fmt::format("run '{}'", program));
        return pid;
    }

private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

/// Gives on what a program has written so far. Its descriptor shares the file's position with ours,
/// which therefore stays where it is.
class OutputReader
{
public:
    OutputReader(int fd, const std::function<void(const std::string&)>& use) : fd_(fd), use_(use) {}

    /// @return was there anything new?
    bool read_on()
    {
        std::array<char, 4096> buffer{};
        std::string text;
        for (;;) {
            const ssize_t n = ::pread(fd_, buffer.data(), buffer.size(), at_);
            if (n <= 0)
                break;
            text.append(buffer.data(), static_cast<std::size_t>(n));
            at_ += n;
        }
        if (!text.empty())
            use_(text);
        return !text.empty();
    }

private:
    int fd_;
    const std::function<void(const std::string&)>& use_;
    off_t at_ = 0;
};

/// Waits for a child's end.
/// @param out memory file with its output
/// @return false when the time was up
bool ends_in_time(pid_t pid, const Command& command, int out)
{
    constexpr Milliseconds glance{200};
    const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); // NOLINT(*-vararg)
    if (!process)
        throw SystemError(errno, fmt::format("watch process {}", pid));
    OutputReader reader(out, command.on_output);
    auto end = std::chrono::steady_clock::now() + command.timeout;
    for (;;) {
        auto left =
            std::chrono::duration_cast<Milliseconds>(end - std::chrono::steady_clock::now());
        if (command.on_output)
            left = std::min(left, glance);
        pollfd entry{process.get(), POLLIN, 0};
        const int ready =
            ::poll(&entry, 1, static_cast<int>(std::max(left, Milliseconds{0}).count()));
        if (ready < 0 && errno != EINTR)
            throw SystemError(errno, "poll");
        if (command.on_output && reader.read_on())
            end = std::chrono::steady_clock::now() + command.timeout;
        if (ready > 0)
            return true;
        if (std::chrono::steady_clock::now() >= end)
            return false;
    }
}

int reap(pid_t pid)
{
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            throw SystemError(errno, fmt::format("wait for process {}", pid));
    }
    return status;
}

/// stderr, or stdout where stderr is empty, as one line for a message.
std::string last_words(const CommandResult& result)
{
    std::string text =
        result.err.find_first_not_of(" \n") == std::string::npos ? result.out : result.err;
    text.erase(text.find_last_not_of(" \n") + 1);
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text.empty() ? "no output" : text;
}

} // namespace

CommandResult run(const Command& command)
{
    const std::string line = fmt::format("{}", fmt::join(command.argv, " "));
    const std::string program = find_program(command.argv.at(0));
    const UniqueFd out = memory_file("stdout");
    const UniqueFd err = memory_file("stderr");

    UniqueFd in;
    SpawnPlan plan;
    if (command.input.empty()) {
        plan.read_nothing();
    } else {
        in = filled_memory_file(command.input);
        plan.connect(in.get(), STDIN_FILENO);
    }
    plan.connect(out.get(), STDOUT_FILENO);
    plan.connect(err.get(), STDERR_FILENO);
    for (const int fd : command.keep_open)
        plan.connect(fd, fd); // the same number twice clears close-on-exec

    const auto begin = std::chrono::steady_clock::now();
    const pid_t pid = plan.spawn(program, command.argv);
    bool in_time = false;
    try {
        in_time = ends_in_time(pid, command, out.get());
    } catch (...) {
        ::kill(-pid, SIGKILL);
        reap(pid);
        throw;
    }
    if (!in_time)
        ::kill(-pid, SIGKILL);
    const int status = reap(pid);
    const auto taken =
        std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - begin);

    CommandResult result{WIFEXITED(status) ? WEXITSTATUS(status) : -1, content_of(out),
                         content_of(err)};
    log().debug("ran '{}': exit code {}, {} ms", line, result.exit_code, taken.count());
    if (!in_time)
        throw Error(fmt::format("run '{}': {} after {} s, killed: {}", line,
                                command.on_output ? "no progress" : "not done",
                                command.timeout.count() / 1000, last_words(result)));
    if (WIFSIGNALED(status))
        throw Error(fmt::format("run '{}': ended by signal {}: {}", line, WTERMSIG(status),
                                last_words(result)));
    if (std::find(command.accepted.begin(), command.accepted.end(), result.exit_code) ==
        command.accepted.end())
        throw Error(
            fmt::format("run '{}': exit code {}: {}", line, result.exit_code, last_words(result)));
    return result;
}

} // namespace zraid
