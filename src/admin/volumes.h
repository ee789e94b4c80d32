#pragma once

#include "admin/admin.h"
#include "libvirt/connection.h"
#include "pools/definition.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace zraid {

/// What a new volume is to be, besides its size.
struct VolumeRequest
{
    std::string name;   ///< needed for pools of type logical and fs; a partition's is the kernel's
    std::string format; ///< of a file: "raw" or "qcow2"; empty: raw
};

/// Makes a volume through libvirt. The name of a partition is libvirt's and the kernel's: mdNpM.
/// @param size bytes
LibvirtVolume create_volume(const Admin& admin, const std::string& pool, std::uint64_t size,
                            const VolumeRequest& request = {});

std::vector<LibvirtVolume> list_volumes(const Admin& admin, const std::string& pool);

/// Deletes a volume; of a disk pool `virsh vol-delete` cannot do it: it asks parted for a partition
/// "p1" where the number alone is meant. Refuses while anything has it open.
/// @param refuse throws what else is against it, before anything is changed
void delete_volume(const Admin& admin, const std::string& pool, const std::string& volume,
                   const std::function<void()>& refuse = {});

/// The <disk> element that gives a volume to a domain. A file is looked at for its format.
/// @param target name of the disk in the domain, such as "vda"
std::string volume_disk_xml(const Admin& admin, const std::string& pool, const std::string& volume,
                            const std::string& target);

} // namespace zraid
