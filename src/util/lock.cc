#include "util/lock.h"

#include "util/error.h"
#include "util/files.h"

#include <cerrno>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

namespace zraid {

namespace {

/// "pid command" of this process, for those who wait for it.
std::string who_am_i()
{
    std::string command = read_if_there("/proc/self/comm").value_or("?\n");
    return fmt::format("{} {}", ::getpid(), command);
}

} // namespace

FileLock::FileLock(const std::filesystem::path& path, Milliseconds limit)
{
    make_folder(path.parent_path(), 0700);
    fd_ = open_file(path, O_RDWR | O_CREAT, 0600);
    const bool locked = wait_until(limit, [&] {
        if (::flock(fd_.get(), LOCK_EX | LOCK_NB) == 0)
            return true;
        if (errno != EWOULDBLOCK && errno != EINTR)
            throw SystemError(errno, "lock '" + path.string() + "'");
        return false;
    });
    if (!locked) {
        std::string holder = read_file(path);
        holder.erase(holder.find_last_not_of('\n') + 1);
        throw LockTimeout(fmt::format("lock '{}': still held after {} s, last taken by process {}",
                                      path.string(), limit.count() / 1000,
                                      holder.empty() ? "unknown" : holder),
                          "wait for it to end or look at what it waits for, then try again");
    }
    // For the message above only: a full /run must not keep anyone from working.
    const std::string me = who_am_i();
    if (::ftruncate(fd_.get(), 0) == 0)
        (void)!::pwrite(fd_.get(), me.data(), me.size(), 0);
}

} // namespace zraid
