#pragma once

#include "admin/admin.h"
#include "libvirt/connection.h"
#include "libvirt/domains.h"
#include "pools/adoption_record.h"

#include <cstdint>
#include <string>

namespace zraid {

/// A disk whose image can be taken into a pool.
struct AdoptableDisk
{
    std::string image;          ///< path of a regular file, links followed
    std::uint64_t size = 0;     ///< of the guest's disk, bytes
    std::uint64_t to_copy = 0;  ///< bytes that a copy takes
    std::string format = "raw"; ///< or "qcow2"
    Qcow2Layout qcow2;          ///< of a qcow2
    std::string xml;            ///< the <disk>
};

/// @param convert take a qcow2, by copying it, and nothing else
/// @throws Error that says why a disk cannot be adopted, and what to do
AdoptableDisk find_adoptable_disk(const Admin& admin, const LibvirtConnection& libvirt,
                                  const LibvirtDomain& domain, const std::string& target,
                                  AdoptionWay way, bool convert);

/// @throws Error unless the domain is shut off, and nothing of it depends on its disk as it is now
void refuse_domain_state(const LibvirtDomain& domain);

} // namespace zraid
