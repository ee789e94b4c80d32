#pragma once

#include "util/error.h"
#include "util/fd.h"
#include "util/wait.h"

#include <filesystem>
#include <string>

namespace zraid {

/// Somebody else held a lock for too long.
class LockTimeout : public Error
{
public:
    using Error::Error;
};

/// An exclusive flock(2) on a file, held as long as the object lives. The file stays: removing it
/// would let two holders lock two different files of one name.
///
/// The lock belongs to the open file description, so a child that inherits fd() keeps it until it
/// ends. Programs that change devices get it (Command::keep_open): when zraid is killed meanwhile,
/// the next zraid waits for the orphan instead of racing with it.
class FileLock
{
public:
    /// @param path lock file; its folder is made if missing
    /// @param limit how long to wait for another holder
    /// @throws LockTimeout naming the holder's process id and command when the time is up
    FileLock(const std::filesystem::path& path, Milliseconds limit);

    int fd() const noexcept { return fd_.get(); }

private:
    UniqueFd fd_;
};

} // namespace zraid
