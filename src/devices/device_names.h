#pragma once

#include "util/paths.h"

#include <string>
#include <vector>

namespace zraid {

/// Does the kernel give this name to whatever it finds first, so that after a boot, or when the
/// device comes back, it may be another device's? Disks (/dev/sdb, /dev/nvme0n1), device-mapper
/// (/dev/dm-0), loop and md numbers, RAM disks. Not nbdN, drbdN and rbdN: their numbers, too, come
/// from whoever connects them, and for the first two he chooses them.
/// @param path absolute; a path that is not below /dev is judged by what it leads to
bool is_unstable_name(const Paths& paths, const std::string& path);

/// Links below /dev that lead to the same device and keep doing so (by-id, by-path, mapper, volume
/// groups, …), sorted; those of a file system or of the kernel's numbers are left out.
std::vector<std::string> stable_names(const Paths& paths, const std::string& path);

/// Name of the unit that systemd has for a path, as systemd-escape(1) --path --suffix has it.
/// @param kind "device" for a device node or a link to one, "mount" for the folder of a mount
std::string unit_of_path(const std::string& path, const std::string& kind);

} // namespace zraid
