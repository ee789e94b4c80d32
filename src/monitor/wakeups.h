#pragma once

#include "util/fd.h"
#include "util/paths.h"

namespace zraid {

/// Waits for what may change the needs of a pool, told by the kernel: a change of any array
/// (poll on /proc/mdstat, Documentation/admin-guide/md.rst), of any block device (uevents), of the
/// mounts (poll on /proc/self/mountinfo, proc(5)), of the definitions, and the end of any work on a
/// pool (inotify on the folder of locks). To be made before the first thread: the signals that end
/// the process are blocked for all that come after.
class Wakeups
{
public:
    explicit Wakeups(const Paths& paths);

    /// Returns when something happened, a moment later, so that what happens together is answered
    /// once.
    /// @return whether a device below some image may be back: a mount, or an event of a block
    /// device
    ///         that is no leg or array
    bool wait();

    /// Whether the process was asked to end (SIGTERM, SIGINT), which then is its own to do.
    bool ended() const { return ended_; }

private:
    void open_mdstat();
    bool wait_once(int milliseconds);

    Paths paths_;
    bool devices_changed_ = false; ///< since the last wait began
    bool ended_ = false;
    UniqueFd mdstat_; ///< there once the md driver is
    UniqueFd mounts_;
    UniqueFd uevents_;
    UniqueFd folders_;
    UniqueFd signals_;
};

} // namespace zraid
