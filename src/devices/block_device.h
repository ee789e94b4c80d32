#pragma once

#include "util/paths.h"

#include <cstdint>
#include <optional>
#include <string>

namespace zraid {

/// What the kernel and its tools tell of a block device that is not ours. Nothing here changes it,
/// and but for what_is_on nothing opens it: an open device cannot be disconnected or connected.

/// The kernel's name of the device that a path leads to, such as "dm-3"; nothing if it leads to
/// none, or the kernel has it no more.
std::optional<std::string> device_name(const Paths& paths, const std::string& path);

/// Size of a device by its path, bytes. 0 as well if it is not there; one that is not connected
/// (NBD) has none.
std::uint64_t device_size(const Paths& paths, const std::string& path);

/// What has a device in use.
struct DeviceUse
{
    std::string what; ///< "mounted at '/srv'", "part of md127", …
    std::string next; ///< what to do about it
};

/// Looks for whatever claims a device, or a partition of it: a mount, swap, another block device on
/// top of it, or somebody whom only the kernel knows (O_EXCL, open(2)). Programs that just have it
/// open, such as QEMU, are not seen.
std::optional<DeviceUse> use_of_device(const Paths& paths, const std::string& path);

/// The part of it that needs no device.
/// @param name the kernel's, such as "dm-3"
std::optional<DeviceUse> use_by_name(const Paths& paths, const std::string& name);

/// Types of the signatures (file systems, partition tables, members of arrays and volume groups)
/// that wipefs(8) finds on a device, as "ext4, gpt"; empty: none.
std::string what_is_on(const std::string& path);

} // namespace zraid
