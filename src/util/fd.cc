#include "util/fd.h"

#include "util/error.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace zraid {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept
{
    if (this != &other) {
        reset();
        fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
}

void UniqueFd::reset() noexcept
{
    // Not retried on EINTR: Linux frees the number in any case.
    if (fd_ >= 0)
        ::close(fd_);
    fd_ = -1;
}

UniqueFd open_file(const std::string& path, int flags, mode_t mode)
{
    UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, mode)); // NOLINT(*-vararg)
    if (!fd)
        throw SystemError(errno, "open '" + path + "'");
    return fd;
}

UniqueFd open_if_there(const std::string& path, int flags)
{
    UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC)); // NOLINT(*-vararg)
    if (!fd && errno != ENOENT && errno != ENXIO && errno != ENODEV)
        throw SystemError(errno, "open '" + path + "'");
    return fd;
}

void open_standard_fds()
{
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        // open() takes the lowest free number, which is this one. Without /dev/null there is
        // nothing that could be done.
        if (::fcntl(fd, F_GETFD) < 0)          // NOLINT(*-vararg)
            (void)::open("/dev/null", O_RDWR); // NOLINT(*-vararg,*-cloexec)
    }
}

} // namespace zraid
