#pragma once

#include "pools/adoption_record.h"

namespace zraid {

/// Makes the volume of an adopted disk: the one partition of the array, over the image's bytes.
/// The array must be there.
/// @param lock_fd of the pool's lock
void make_adopted_volume(const Paths& paths, const AdoptionRecord& record, int lock_fd);

/// @throws Error unless that is the only volume, as it was made
void check_adopted_volume(const Paths& paths, const AdoptionRecord& record);

} // namespace zraid
