#include "monitor/wakeups.h"

#include "util/error.h"
#include "util/files.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <functional>
#include <string_view>

#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace zraid {

namespace {

/// A change of an array comes in several pieces, no more than so many milliseconds apart.
constexpr int kTogether = 100;
constexpr int kTogetherAtMost = 10;

UniqueFd open_uevents()
{
    UniqueFd fd(
        ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT));
    sockaddr_nl address = {};
    address.nl_family = AF_NETLINK;
    address.nl_groups = 1; // the kernel's own, not udev's
    if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw SystemError(errno, "listen to the kernel's uevents");
    return fd;
}

UniqueFd watch_folders(const Paths& paths)
{
    UniqueFd fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!fd)
        throw SystemError(errno, "inotify_init1");
    make_folder(paths.pools(), 0700);
    make_folder(paths.run / "locks", 0700);
    constexpr std::uint32_t changed = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE;
    for (const auto& [folder, events] : {std::pair{paths.pools(), changed},
                                         {paths.run / "locks", std::uint32_t{IN_CLOSE_WRITE}}}) {
        if (::inotify_add_watch(fd.get(), folder.c_str(), events) < 0)
            throw SystemError(errno, "watch '" + folder.string() + "'");
    }
    return fd;
}

UniqueFd take_signals()
{
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGTERM);
    ::sigaddset(&signals, SIGINT);
    if (const int code = ::pthread_sigmask(SIG_BLOCK, &signals, nullptr); code != 0)
        throw SystemError(code, "block SIGTERM");
    UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd)
        throw SystemError(errno, "signalfd");
    return fd;
}

/// Reads what is there, a message at a time. @return whether there was any
bool drain(int fd, const std::function<void(std::string_view)>& take)
{
    std::array<char, 16384> buffer{};
    bool found = false;
    for (;;) {
        const ssize_t n = ::read(fd, buffer.data(), buffer.size());
        if (n < 0 && errno == ENOBUFS) { // some were lost: any of them may have been of interest
            found = true;
            continue;
        }
        if (n <= 0)
            return found;
        found = true;
        take({buffer.data(), static_cast<std::size_t>(n)});
    }
}

/// "change@/devices/virtual/block/dm-0", a zero, then fields like SUBSYSTEM=block. What udev makes
/// up when somebody who had a device open for writing closes it (SYNTH_UUID,
/// Documentation/ABI/testing/sysfs-uevent) tells nothing: each try to take a device back is one.
bool is_other_device(std::string_view message)
{
    if (message.find("SUBSYSTEM=block") == std::string_view::npos ||
        message.find("SYNTH_UUID=") != std::string_view::npos)
        return false;
    const std::string_view path = message.substr(0, message.find('\0'));
    for (const char* ours : {"/block/loop", "/block/md", "/block/zram"}) {
        if (path.find(ours) != std::string_view::npos)
            return false;
    }
    return true;
}

/// Files of /proc announce a change until they are read again.
void read_again(int fd)
{
    std::array<char, 4096> buffer{};
    ::lseek(fd, 0, SEEK_SET);
    while (::read(fd, buffer.data(), buffer.size()) > 0) {
    }
}

} // namespace

Wakeups::Wakeups(const Paths& paths)
    : paths_(paths), mounts_(open_file((paths.proc / "self/mountinfo").string(), O_RDONLY)),
      uevents_(open_uevents()), folders_(watch_folders(paths)), signals_(take_signals())
{
    open_mdstat();
    read_again(mounts_.get());
}

void Wakeups::open_mdstat()
{
    if (mdstat_)
        return;
    mdstat_ = open_if_there((paths_.proc / "mdstat").string(), O_RDONLY);
    if (mdstat_)
        read_again(mdstat_.get());
}

/// @param milliseconds -1: as long as it takes
/// @return whether something of interest happened
bool Wakeups::wait_once(int milliseconds)
{
    open_mdstat();
    std::array<pollfd, 5> entries{{{mdstat_.get(), POLLPRI, 0},
                                   {mounts_.get(), POLLPRI, 0},
                                   {uevents_.get(), POLLIN, 0},
                                   {folders_.get(), POLLIN, 0},
                                   {signals_.get(), POLLIN, 0}}};
    const int n = ::poll(entries.data(), entries.size(), milliseconds);
    if (n < 0 && errno != EINTR)
        throw SystemError(errno, "poll");
    if (n <= 0)
        return false;
    bool happened = false;
    if (entries.at(0).revents != 0) {
        read_again(mdstat_.get());
        happened = true;
    }
    if (entries.at(1).revents != 0) {
        read_again(mounts_.get());
        happened = devices_changed_ = true;
    }
    if (entries.at(2).revents != 0)
        happened = drain(uevents_.get(),
                         [this](std::string_view message) {
                             devices_changed_ = devices_changed_ || is_other_device(message);
                         }) ||
                   happened;
    if (entries.at(3).revents != 0)
        happened = drain(folders_.get(), [](std::string_view) {}) || happened;
    if (entries.at(4).revents != 0)
        happened = ended_ = true;
    return happened;
}

bool Wakeups::wait()
{
    devices_changed_ = false;
    while (!wait_once(-1)) {
    }
    for (int i = 0; i < kTogetherAtMost && !ended_ && wait_once(kTogether); ++i) {
    }
    return devices_changed_;
}

} // namespace zraid
