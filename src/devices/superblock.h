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
    std::uint64_t bitmap_offset = 0; ///< bytes from the leg's start
    bool has_bad_blocks = false;     ///< a bad-block list is set up
};

/// Reads the superblock of a leg. A device is read past its page cache, which does not see what md
/// writes; an image file through the one that the loop device above it uses.
/// @param path image or device
/// @return nothing where there is none (no magic, or the file is too short)
std::optional<MdSuperblock> read_superblock(const std::string& path);

/// Makes a fresh device look like the array's member in slot 1, as of now, so that it can be
/// re-added and md copies to it only what the bitmap names: the disk leg's superblock with another
/// device's number, UUID and role, not write-mostly, and the bitmap behind it. It has no bad-block
/// list, as the disk leg has none: the leg fails at its first error.
/// @param image of the disk leg
/// @param device node of the new leg; all of it must read as zeros
/// @throws Error if the superblock is not as zraid makes it, SystemError
void write_second_leg_header(const std::string& image, const std::string& device);

} // namespace zraid
