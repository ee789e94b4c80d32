#pragma once

#include "devices/superblock.h"

#include <cstdint>
#include <optional>
#include <string>

namespace zraid {

/// The leg of a RAID1 that others made: what decides whether it can be a disk leg.
struct ForeignLeg
{
    MdSuperblock superblock;
    bool is_whole = false;      ///< its checksum is right
    std::uint32_t features = 0; ///< MD_FEATURE_…
    std::int32_t level = 0;
    std::uint32_t raid_disks = 0;
    std::uint64_t size = 0; ///< of the array, bytes
    std::uint16_t role = 0; ///< slot; from 0xfff0 on: spare, faulty, journal
};

/// Reads the superblock (version 1.2) of an image.
/// @return nothing where there is none
std::optional<ForeignLeg> read_foreign_leg(const std::string& image);

/// Why this leg cannot be taken over with its data; empty if it can.
/// @param image_size bytes
std::string why_not_taken_over(const ForeignLeg& leg, std::uint64_t image_size);

/// Size that the image has after a take-over, bytes: a multiple of 4096.
std::uint64_t size_after_takeover(std::uint64_t image_size);

/// The bytes at the image's front that a take-over may change, as they are now: written back, they
/// undo it.
std::string header_of(const std::string& image);

/// Does this saved header have the superblock that the image has now?
bool is_header_of(const std::string& header, const std::string& image);

/// Makes the image a disk leg as zraid makes it: slot 0, write-mostly, an internal bitmap without a
/// mark, no bad-block list, another name. UUID, data offset and all data stay. The image, and the
/// array's end, become a multiple of 4096 bytes: longer by less than that. Bitmap first, then, in
/// one page, the superblock: what was there before is whole until then.
/// @param name of the array, at most 31 characters
/// @param chunk bytes that one bit of the bitmap stands for
/// @throws Error if why_not_taken_over() has something to say; SystemError
void take_over_leg(const std::string& image, const std::string& name, std::uint64_t chunk);

} // namespace zraid
