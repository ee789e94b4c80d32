#pragma once

#include "util/wait.h"

#include <functional>
#include <string>
#include <vector>

namespace zraid {

/// An outside program to run: never through a shell, always with a time limit.
struct Command
{
    /// Program name, searched for in /usr/sbin, /usr/bin, /sbin and /bin (the caller's PATH is
    /// ignored: a hook inherits whatever libvirt was started with), or an absolute path; then its
    /// arguments.
    std::vector<std::string> argv;
    Milliseconds timeout{30'000};
    /// Exit codes that are no error.
    std::vector<int> accepted{0};
    /// Descriptors that the child inherits under the same number; see FileLock.
    std::vector<int> keep_open{};
    /// What the program reads on its stdin.
    std::string input{};
    /// Called with what came on its stdout since the last time, while it runs. Each time the time
    /// limit begins anew: it is one of silence then.
    std::function<void(const std::string& text)> on_output{};
};

/// How a program ended.
struct CommandResult
{
    int exit_code = 0;
    std::string out;
    std::string err;
};

/// Runs a program and waits for it. Its output goes to memory files, not pipes: it neither blocks
/// on a reader nor dies of SIGPIPE when this process is killed. It never holds this process's
/// stdout or stderr, for which libvirt would wait. The environment is LC_ALL=C and a fixed PATH.
///
/// Logs the command line, exit code and time taken at debug level.
///
/// @throws Error with the command line and its stderr: not found, not accepted exit code, ended by
///         a signal, or not done in time (it is killed then)
CommandResult run(const Command& command);

} // namespace zraid
