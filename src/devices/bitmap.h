#pragma once

#include "devices/extents.h"
#include "util/paths.h"

#include <cstdint>
#include <string>
#include <vector>

namespace zraid {

/// A run of bitmap chunks, both ends included.
struct ChunkRange
{
    std::uint64_t first = 0;
    std::uint64_t last = 0;

    bool operator==(const ChunkRange&) const = default;
};

/// md's write-intent bitmap as it stands on a leg (drivers/md/md-bitmap.h in the kernel's source).
struct MdBitmap
{
    std::uint64_t chunk = 0;  ///< bytes that one bit stands for
    std::uint64_t chunks = 0; ///< number of bits
    std::vector<std::uint8_t> bits;

    bool is_set(std::uint64_t number) const;
};

/// Reads the bitmap of a leg from its image file (see read_superblock on why not from the loop).
/// @throws Error if there is none, or it is not understood
MdBitmap read_bitmap(const std::string& image);

/// Bytes that one bit of a running array's bitmap stands for (Documentation/admin-guide/md.rst,
/// bitmap/chunksize).
/// @throws Error if it has no bitmap
std::uint64_t bitmap_chunk_of(const Paths& paths, int md_number);

/// Adds a run behind those that are there; runs that touch or overlap become one.
/// @param range begins no earlier than the last one there
void add_range(std::vector<ChunkRange>& ranges, ChunkRange range);

/// Number of chunks in all of these runs.
std::uint64_t chunks_in(const std::vector<ChunkRange>& ranges);

/// The chunks that cover the data of a leg. md counts from the array's first byte, which is
/// `data_offset` bytes into the leg; what lies before is md's own.
/// @param chunks number of chunks of the bitmap
std::vector<ChunkRange> chunks_of(const std::vector<Extent>& extents, std::uint64_t data_offset,
                                  std::uint64_t chunk, std::uint64_t chunks);

/// Marks chunks as out of date for a member that is missing, so that its re-add copies them
/// (/sys/block/mdN/md/bitmap_set_bits). The kernel says nothing about a bad value: the caller reads
/// the bitmap afterwards.
void set_bitmap_bits(const Paths& paths, int md_number, const std::vector<ChunkRange>& ranges);

} // namespace zraid
