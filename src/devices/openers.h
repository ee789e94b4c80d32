#pragma once

#include "util/paths.h"

#include <string>

#include <sys/types.h>

namespace zraid {

/// Which processes have this open: a block device, any file of a file system on it, or one file.
/// A process of which one may not see that is left out; so is the kernel itself.
/// @return "qemu-system-x86 (4711), bash (12)"; empty if there is none
std::string openers_of_device(const Paths& paths, dev_t device);
/// @param except a process that does not count; 0: they all do
std::string openers_of_file(const Paths& paths, const std::string& path, pid_t except = 0);

/// Number of a block device by the kernel's name of it, such as "md100"; 0 if there is none.
dev_t device_number(const Paths& paths, const std::string& device);

} // namespace zraid
