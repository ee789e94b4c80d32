#include "devices/bitmap.h"

#include "devices/md.h"
#include "devices/superblock.h"
#include "util/error.h"
#include "util/fd.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

namespace zraid {

namespace {

// struct bitmap_super_s, all little-endian: magic, version, uuid[16], events, events_cleared,
// sync_size (sectors), state, chunksize (bytes), …; the bits begin behind its 256 bytes.
constexpr std::size_t kHeaderSize = 256;
constexpr std::size_t kSyncSizeAt = 40;
constexpr std::size_t kChunkSizeAt = 52;
constexpr std::uint32_t kMagic = 0x6d746962;

/// sysfs takes a page at a time.
constexpr std::size_t kWriteLimit = 4000;

std::uint64_t little_endian(const std::uint8_t* at, std::size_t bytes)
{
    std::uint64_t value = 0;
    for (std::size_t i = bytes; i-- > 0;)
        value = (value << 8U) | at[i]; // NOLINT(*-pointer-arithmetic)
    return value;
}

std::vector<std::uint8_t> read_at(int fd, const std::string& path, std::uint64_t offset,
                                  std::size_t bytes)
{
    std::vector<std::uint8_t> buffer(bytes);
    const ssize_t n = ::pread(fd, buffer.data(), bytes, static_cast<off_t>(offset));
    if (n < 0)
        throw SystemError(errno, "read the bitmap of '" + path + "'");
    if (static_cast<std::size_t>(n) != bytes)
        throw Error("read the bitmap of '" + path + "': the file ends in it");
    return buffer;
}

} // namespace

bool MdBitmap::is_set(std::uint64_t number) const
{
    return (unsigned{bits.at(number / 8)} >> (number % 8) & 1U) != 0;
}

MdBitmap read_bitmap(const std::string& image)
{
    const auto superblock = read_superblock(image);
    if (!superblock || !superblock->has_bitmap)
        throw Error("'" + image + "' has no internal bitmap");
    const UniqueFd fd = open_file(image, O_RDONLY);
    const auto header = read_at(fd.get(), image, superblock->bitmap_offset, kHeaderSize);
    if (little_endian(header.data(), 4) != kMagic)
        throw Error("the bitmap of '" + image + "' is not understood");
    MdBitmap bitmap;
    bitmap.chunk = little_endian(&header[kChunkSizeAt], 4);
    const std::uint64_t size = little_endian(&header[kSyncSizeAt], 8) * 512;
    if (bitmap.chunk == 0 || size == 0)
        throw Error("the bitmap of '" + image + "' has no size");
    bitmap.chunks = (size + bitmap.chunk - 1) / bitmap.chunk;
    if (bitmap.chunks / 8 > superblock->data_offset)
        throw Error("the bitmap of '" + image + "' cannot be as large as it says");
    bitmap.bits =
        read_at(fd.get(), image, superblock->bitmap_offset + kHeaderSize, (bitmap.chunks + 7) / 8);
    return bitmap;
}

std::uint64_t bitmap_chunk_of(const Paths& paths, int md_number)
{
    const auto text = read_md_attribute(paths, md_number, "bitmap/chunksize");
    const std::uint64_t chunk = text ? std::stoull(*text) : 0;
    if (chunk == 0)
        throw Error(fmt::format("/dev/md{} has no bitmap", md_number),
                    fmt::format("mdadm --grow --bitmap=internal /dev/md{}", md_number));
    return chunk;
}

void add_range(std::vector<ChunkRange>& ranges, ChunkRange range)
{
    if (!ranges.empty() && range.first <= ranges.back().last + 1)
        ranges.back().last = std::max(ranges.back().last, range.last);
    else
        ranges.push_back(range);
}

std::uint64_t chunks_in(const std::vector<ChunkRange>& ranges)
{
    std::uint64_t chunks = 0;
    for (const ChunkRange& range : ranges)
        chunks += range.last - range.first + 1;
    return chunks;
}

std::vector<ChunkRange> chunks_of(const std::vector<Extent>& extents, std::uint64_t data_offset,
                                  std::uint64_t chunk, std::uint64_t chunks)
{
    std::vector<ChunkRange> ranges;
    for (const Extent& extent : extents) {
        if (extent.end <= data_offset)
            continue;
        const std::uint64_t first = (std::max(extent.begin, data_offset) - data_offset) / chunk;
        const std::uint64_t last = std::min((extent.end - data_offset - 1) / chunk, chunks - 1);
        if (first > last) // behind the array's end
            continue;
        add_range(ranges, {first, last});
    }
    return ranges;
}

void set_bitmap_bits(const Paths& paths, int md_number, const std::vector<ChunkRange>& ranges)
{
    std::string text;
    const auto write = [&] {
        if (!text.empty())
            write_md(paths, md_number, "bitmap_set_bits", text);
        text.clear();
    };
    for (const ChunkRange& range : ranges) {
        text += fmt::format("{}-{} ", range.first, range.last);
        if (text.size() > kWriteLimit - 64)
            write();
    }
    write();
}

} // namespace zraid
