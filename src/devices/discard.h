#pragma once

#include "util/paths.h"

#include <string>

namespace zraid {

/// Does a disk leg give back what is discarded, so that it reads as zeros, as zram does? Not what
/// stands on NBD and on many disks, nor on a file system without holes: that keeps the old bytes,
/// md takes no notice, and the legs differ.
/// @param leg the kernel's name of its device, such as "loop0"
/// @param image what it stands on
bool can_discard(const Paths& paths, const std::string& leg, const std::string& image);

/// The device refuses discards from now on, and so does what is stacked on it later.
/// @param name the kernel's, such as "zram0"
/// @throws SystemError
void forbid_discard(const Paths& paths, const std::string& name);

} // namespace zraid
