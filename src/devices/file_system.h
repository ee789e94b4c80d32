#pragma once

#include "util/uuid.h"

#include <string>

namespace zraid {

/// What a device begins with, for who wants an XFS there.
enum class FileSystem
{
    none,       ///< zeros
    unfinished, ///< an XFS whose making did not come to its end
    xfs,
    other,
};

/// Looks at a device's first 64 KiB.
FileSystem read_file_system(const std::string& device);

/// Smallest device that mkfs.xfs(8) takes, bytes.
inline constexpr std::uint64_t kMinXfs = std::uint64_t{300} << 20U;

/// Makes an XFS with this UUID. Nothing is discarded: what is allocated below stays so.
/// @param lock_fd kept open in the program, see FileLock; -1: none
/// @throws Error if the device has any other content
void make_xfs(const std::string& device, const Uuid& uuid, int lock_fd);

/// Mounts an XFS. By mount(8), not by its system call: a hook of libvirt's that AppArmor confines
/// may run the one, but not call the other.
void mount_xfs(const std::string& device, const std::string& point, int lock_fd);

/// @throws Error with what is wrong, such as "target is busy"
void unmount(const std::string& point, int lock_fd);

/// A mounted XFS gets the space that its device has grown by.
void grow_xfs(const std::string& point, int lock_fd);

} // namespace zraid
