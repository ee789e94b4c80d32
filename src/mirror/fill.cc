#include "mirror/fill.h"

#include "devices/bitmap.h"
#include "devices/superblock.h"
#include "util/error.h"
#include "util/log.h"

#include <fmt/format.h>

namespace zraid {

namespace {

void check_marked(const std::string& image, const std::vector<ChunkRange>& ranges)
{
    const MdBitmap bitmap = read_bitmap(image);
    for (const ChunkRange& range : ranges) {
        for (std::uint64_t chunk = range.first; chunk <= range.last; ++chunk) {
            if (!bitmap.is_set(chunk))
                throw Error(fmt::format("the kernel did not mark chunk {} in the bitmap", chunk));
        }
    }
}

} // namespace

void prepare_sparse_fill(const Paths& paths, const PoolDefinition& pool, const std::string& zram)
{
    const auto superblock = read_superblock(pool.image);
    if (!superblock)
        throw Error("the image has no md superblock");
    const MdBitmap bitmap = read_bitmap(pool.image);
    // A chunk that gets its first data behind this line is marked by md itself.
    const auto extents = data_extents(pool.image);
    const auto ranges = chunks_of(extents, superblock->data_offset, bitmap.chunk, bitmap.chunks);
    set_bitmap_bits(paths, pool.md_number, ranges);
    check_marked(pool.image, ranges);
    write_second_leg_header(pool.image, paths.device(zram));
    log().debug("pool '{}': {} extents, {} ranges of chunks to copy", pool.name, extents.size(),
                ranges.size());
}

} // namespace zraid
