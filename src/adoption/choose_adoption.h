#pragma once

#include "admin/admin.h"
#include "adoption/adopt.h"
#include "libvirt/connection.h"
#include "libvirt/domains.h"
#include "pools/adoption_record.h"

#include <cstdint>
#include <optional>

namespace zraid {

/// The record of an adoption that was begun before.
/// @throws Error if its release was begun, or it is another pool than the one that is asked for
std::optional<AdoptionRecord> find_begun_adoption(const Admin& admin, const AdoptRequest& request,
                                                  const LibvirtDomain& domain);

struct ChosenAdoption
{
    AdoptionRecord record;
    std::uint64_t to_copy = 0; ///< bytes
};

/// What a new one would write down. Nothing is changed.
/// @throws Error if the disk cannot be adopted
ChosenAdoption choose_adoption(const Admin& admin, const LibvirtConnection& libvirt,
                               const LibvirtDomain& domain, const AdoptRequest& request);

} // namespace zraid
