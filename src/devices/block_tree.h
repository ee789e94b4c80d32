#pragma once

#include "util/paths.h"

#include <set>
#include <string>

namespace zraid {

/// Numbers of the md arrays that a path stands on: a device node (or a link to one), directly or
/// through partitions, device-mapper and other arrays; or a file on a file system on such a device.
/// @param path absolute; may be missing: then the answer is empty
/// @throws SystemError if what the path is cannot be found out
std::set<int> arrays_below(const Paths& paths, const std::string& path);

/// The number in "/dev/md100" or "/dev/md100p1"; -1 for any other path. For arrays that are not
/// assembled, whose device nodes do not exist.
int md_number_in_path(const Paths& paths, const std::string& path);

} // namespace zraid
