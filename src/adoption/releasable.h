#pragma once

#include "admin/admin.h"
#include "mirror/claims.h"
#include "pools/adoption_record.h"

#include <vector>

namespace zraid {

/// May all that is left of a release be done while the domain runs, since it has its file?
bool has_its_file(const Admin& admin, const AdoptionRecord& record);

/// Looks at everything but the array's volumes, which only an array that runs shows.
/// @param dead claims that do not count
/// @throws Error unless the domain is shut off, nobody else has anything of the pool, which is as
/// it was when it adopted the disk, and there is room for what has to be copied
void refuse_release(const Admin& admin, const AdoptionRecord& record,
                    const std::vector<Claim>& dead);

} // namespace zraid
