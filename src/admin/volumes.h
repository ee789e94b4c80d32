#pragma once

#include "admin/admin.h"
#include "libvirt/connection.h"

#include <cstdint>
#include <string>
#include <vector>

namespace zraid {

/// Makes a volume (a partition) through libvirt. Its name is libvirt's and the kernel's: mdNpM.
/// @param size bytes
LibvirtVolume create_volume(const Admin& admin, const std::string& pool, std::uint64_t size);

std::vector<LibvirtVolume> list_volumes(const Admin& admin, const std::string& pool);

/// Deletes a volume, which `virsh vol-delete` cannot do on an md device: it asks parted for a
/// partition "p1" where the number alone is meant. Refuses while anything has it open.
void delete_volume(const Admin& admin, const std::string& pool, const std::string& volume);

/// The <disk> element that gives a volume to a domain.
/// @param target name of the disk in the domain, such as "vda"
std::string volume_disk_xml(const Admin& admin, const std::string& pool, const std::string& volume,
                            const std::string& target);

} // namespace zraid
