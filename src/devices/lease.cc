#include "devices/lease.h"

#include "util/error.h"
#include "util/wait.h"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <fmt/core.h>

namespace zraid {

ExclusiveLease::ExclusiveLease(int fd, const std::string& name) : fd_(fd)
{
    // The kernel tells by SIGIO that somebody waits, which ends a process that does not expect it.
    ::signal(SIGIO, SIG_IGN); // NOLINT(cert-err33-c)
    // Somebody may just look at it: udev, or libvirt at the files of a folder.
    int code = 0;
    const bool had = wait_until(Milliseconds{3000}, [&] {
        code = ::fcntl(fd, F_SETLEASE, F_WRLCK) == 0 ? 0 : errno; // NOLINT(*-vararg)
        return code != EAGAIN && code != EBUSY;
    });
    if (!had)
        throw Error(fmt::format("'{}' is in use", name),
                    fmt::format("close what has it open (fuser -v '{0}', losetup -j '{0}')", name));
    if (code != 0)
        throw SystemError(code, fmt::format("keep others from opening '{}'", name),
                          "its file system has no leases: move the image to a local one");
}

ExclusiveLease::~ExclusiveLease()
{
    ::fcntl(fd_, F_SETLEASE, F_UNLCK); // NOLINT(*-vararg)
}

bool ExclusiveLease::whole() const
{
    return ::fcntl(fd_, F_GETLEASE) == F_WRLCK; // NOLINT(*-vararg)
}

} // namespace zraid
