#pragma once

#include "util/paths.h"

#include <string>
#include <vector>

namespace zraid {

/// One line of /proc/self/mountinfo (proc(5)).
struct Mount
{
    std::string device; ///< "9:100", major and minor number
    std::string point;  ///< absolute path
    std::string source; ///< what it was mounted from, such as "/dev/md100"
};

/// Everything that is mounted, as this process sees it; the last one on a point covers the others.
std::vector<Mount> list_mounts(const Paths& paths);

/// Where a device's file system is mounted.
/// @param device the kernel's name, such as "md100"
std::vector<std::string> mount_points_of(const Paths& paths, const std::string& device);

} // namespace zraid
