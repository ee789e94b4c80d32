#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace zraid {

/// Where a superblock of version 1.2 begins, bytes from the leg's start.
inline constexpr std::size_t kMdSuperblockOffset = 4096;

/// The 4096 bytes of a superblock, or a part of a leg: little-endian numbers.
using MdBytes = std::span<std::uint8_t>;

/// Little-endian number of `bytes` bytes.
std::uint64_t md_number_at(MdBytes block, std::size_t offset, std::size_t bytes);
void put_md_number(MdBytes block, std::size_t offset, std::size_t bytes, std::uint64_t value);

/// md's checksum (calc_sb_1_csum in the kernel's md.c): the sum of the little-endian words, its own
/// taken as zero, the carry folded in once.
/// @throws Error if the superblock claims to be longer than the block
std::uint32_t md_checksum(MdBytes superblock);

/// Magic and major version 1.
bool is_md_superblock(MdBytes block);

} // namespace zraid
