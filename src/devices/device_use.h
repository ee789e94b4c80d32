#pragma once

#include "util/paths.h"

#include <string>

namespace zraid {

/// Looks for everything that keeps an array from being stopped: what claims it or a partition of it
/// (see use_of_device()), a loop device on it, a process that has it open, a mount in another mount
/// namespace. Whoever only looks at it, as udev does, is waited for a moment.
/// @param name the kernel's, such as "md100"
/// @throws Error that names who it is, and what to do
void refuse_use_of_device(const Paths& paths, const std::string& name);

} // namespace zraid
