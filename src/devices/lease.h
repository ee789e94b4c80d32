#pragma once

#include <string>

namespace zraid {

/// Nobody else has a file open, as long as this lives (fcntl(2), F_SETLEASE): no QEMU, no loop
/// device. Who opens it meanwhile has to wait, and gets it after the kernel's lease-break-time at
/// the latest; whole() tells whether anybody tried. Whoever holds one must not open the file again.
class ExclusiveLease
{
public:
    /// @param fd opened for writing; to be kept open as long as the lease
    /// @param name of the file, for messages
    /// @throws Error if anybody else has the file open
    ExclusiveLease(int fd, const std::string& name);
    ~ExclusiveLease();
    ExclusiveLease(const ExclusiveLease&) = delete;
    ExclusiveLease& operator=(const ExclusiveLease&) = delete;
    ExclusiveLease(ExclusiveLease&&) = delete;
    ExclusiveLease& operator=(ExclusiveLease&&) = delete;

    /// Did nobody try to open the file since?
    bool whole() const;

private:
    int fd_;
};

} // namespace zraid
