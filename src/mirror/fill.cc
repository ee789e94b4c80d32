#include "mirror/fill.h"

#include "devices/bitmap.h"
#include "devices/superblock.h"
#include "mirror/ram_leg.h"
#include "util/error.h"
#include "util/log.h"

#include <algorithm>

#include <fmt/core.h>

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

/// Bytes of the chunks that are marked from `position` on. md unmarks on the disk what it has
/// copied a while later, so what lies before does not count.
std::uint64_t marked_from(const std::string& image, std::uint64_t position)
{
    const MdBitmap bitmap = read_bitmap(image);
    std::uint64_t marked = 0;
    for (std::uint64_t chunk = position / bitmap.chunk; chunk < bitmap.chunks; ++chunk)
        marked += bitmap.is_set(chunk) ? 1U : 0U;
    return marked * bitmap.chunk;
}

} // namespace

std::uint64_t prepare_sparse_fill(const Paths& paths, const PoolDefinition& pool,
                                  const std::string& zram)
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
    return chunks_in(ranges) * bitmap.chunk;
}

double FillProgress::percent() const
{
    if (total == 0)
        return 0;
    return 100.0 * (1 - static_cast<double>(std::min(left, total)) / static_cast<double>(total));
}

std::optional<std::chrono::seconds> FillProgress::remaining() const
{
    if (speed == 0)
        return std::nullopt;
    return std::chrono::seconds((left + speed - 1) / speed);
}

std::optional<FillProgress> fill_progress(const Paths& paths, const PoolDefinition& pool,
                                          const PoolView& view)
{
    if (view.state() != PoolState::filling)
        return std::nullopt;
    const MdArray& array = *view.array;
    FillProgress progress;
    progress.position = sync_position(paths, array.number).value_or(array.sync_done * 512);
    progress.speed = array.sync_speed * 1024;
    const auto record = RamLegRecord::load(paths, pool.name);
    if (record && record->fill == kSparseFill) {
        progress.total = record->to_copy;
        progress.left = marked_from(pool.image, progress.position);
        return progress;
    }
    progress.total = array.sync_total * 512;
    progress.left = progress.total - std::min(progress.position, progress.total);
    return progress;
}

} // namespace zraid
