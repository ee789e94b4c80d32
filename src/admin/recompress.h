#pragma once

#include "admin/admin.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace zraid {

/// Memory of a RAM leg's data, bytes.
struct RecompressResult
{
    std::uint64_t before = 0;
    std::uint64_t after = 0;
};

/// Compresses pages of a pool's RAM leg anew with its recompressor, under a running domain as well.
/// @param idle only pages that nobody touched for so long; nothing: all
/// @throws Error if the pool has no recompressor or no RAM leg, or the kernel cannot do it
RecompressResult recompress_pool(const Admin& admin, const std::string& name,
                                 std::optional<std::chrono::seconds> idle);

} // namespace zraid
