#pragma once

#include "admin/admin.h"

#include <cstdint>
#include <string>
#include <vector>

namespace zraid {

struct ResizeRequest
{
    std::string pool;
    std::uint64_t size = 0; ///< of the image, bytes; rounded up to whole sectors of the array
    std::string volume;     ///< that gets the free space behind it; empty: none
};

/// What came of it, for the administrator.
struct ResizeReport
{
    std::uint64_t size = 0;           ///< of the image now, bytes
    std::vector<std::string> told;    ///< domains that know of their larger disk
    std::vector<std::string> remarks; ///< what is left to do by hand
};

/// Makes a pool larger while domains use it: image, definition, loop device, array, the place of
/// the partition table, and a volume. The RAM leg is made anew, because a zram device keeps its
/// size. Asked for the size that the pool has, it does what is missing.
/// @throws Error if the pool is larger already, or its array is not there
ResizeReport resize_pool(const Admin& admin, const ResizeRequest& request);

} // namespace zraid
