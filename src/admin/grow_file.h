#pragma once

#include "admin/resize.h"
#include "libvirt/connection.h"
#include "pools/definition.h"

#include <optional>
#include <string>
#include <vector>

namespace zraid {

/// A file of an fs pool gets the space that is free in its file system and that no other file may
/// grow into; by whoever has it open: a running domain, or libvirt's storage pool.
/// @param disks of all domains; nothing: libvirt could not be asked
void grow_file(const Admin& admin, const PoolDefinition& pool, const std::string& volume,
               const std::optional<std::vector<LibvirtDisk>>& disks, ResizeReport& report);

} // namespace zraid
