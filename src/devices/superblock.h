#pragma once

#include "util/uuid.h"

#include <cstdint>
#include <optional>
#include <string>

namespace zraid {

/// What we need of an md superblock, version 1.2: it lies 4 KiB into a leg
/// (include/uapi/linux/raid/md_p.h, struct mdp_superblock_1).
struct MdSuperblock
{
    Uuid array_uuid;
    std::string name; ///< "zraid:…" for ours
    std::uint64_t events = 0;
    std::uint64_t data_offset = 0; ///< bytes from the leg's start to the array's first byte
    bool has_bitmap = false;
    bool has_bad_blocks = false; ///< a bad-block list is set up
};

/// Reads the superblock of a leg. Reading an image file is safe beside a loop device that is in
/// use; reading the loop device itself is not: its own page cache does not see what md writes.
/// @param path image or device
/// @return nothing where there is none (no magic, or the file is too short)
std::optional<MdSuperblock> read_superblock(const std::string& path);

} // namespace zraid
