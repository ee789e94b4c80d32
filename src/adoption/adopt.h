#pragma once

#include "admin/admin.h"
#include "admin/define.h"
#include "adoption/copied_image.h"
#include "pools/adoption_record.h"

#include <string>

namespace zraid {

struct AdoptRequest
{
    std::string domain;   ///< its name, or its UUID
    std::string target;   ///< of the disk: "vda"
    DefineRequest pool;   ///< without image and size; no name: DOMAIN-TARGET
    bool copy = false;    ///< into a new image; the old one is kept
    bool convert = false; ///< of qcow2; that is a copy
};

/// What an adoption would do.
struct AdoptionPlan
{
    AdoptionRecord record;     ///< as it would be written, or as it was
    bool is_begun = false;     ///< one that was killed would be finished
    std::uint64_t to_copy = 0; ///< bytes
    std::string new_disk;      ///< the domain's <disk> afterwards
};

/// Finds out everything that can be found out without changing anything.
/// @throws Error as adopt_disk() does before it changes anything
AdoptionPlan plan_adoption(const Admin& admin, const AdoptRequest& request);

/// Takes the image of a domain that is shut off into a pool of its own, in place or by copying it,
/// and points the domain's <disk> to the volume. Killed, the same again finishes it, or begins the
/// copy anew, and release_disk() undoes it; on failure it is undone.
///
/// At no moment can the domain be started with anything but its disk: the image loses its old name
/// before its bytes are moved, or when they are copied, and the domain's XML is changed when the
/// volume is there.
/// @param show of the copying
AdoptionRecord adopt_disk(const Admin& admin, const AdoptRequest& request, const Progress& show);

} // namespace zraid
