#include "mirror/verify.h"

#include "devices/file_id.h"
#include "devices/page_buffer.h"
#include "mirror/state.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/files.h"
#include "util/wait.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

namespace zraid {

namespace {

/// Bytes that are read at a time.
constexpr std::uint64_t kPiece = std::uint64_t{1} << 20U;
/// How long a piece may stay different while a guest writes to it.
constexpr Milliseconds kSettle{300};

/// The image past the page cache: a page whose write-back failed stays there with what should have
/// been written. Where the file system has no such access (tmpfs), there is no device that fails.
UniqueFd open_uncached(const std::string& path)
{
    try {
        return open_file(path, O_RDONLY | O_DIRECT);
    } catch (const SystemError& e) {
        if (e.code() != EINVAL)
            throw;
        return open_file(path, O_RDONLY);
    }
}

void read_piece(int fd, const std::string& path, std::uint64_t at, std::span<std::uint8_t> into)
{
    const ssize_t n = ::pread(fd, into.data(), into.size(), static_cast<off_t>(at));
    if (n < 0)
        throw SystemError(errno, fmt::format("read '{}'", path));
    if (static_cast<std::size_t>(n) != into.size())
        throw Error(fmt::format("read '{}': it ends at {} bytes", path,
                                at + static_cast<std::uint64_t>(n)));
}

} // namespace

void DoubtMark::set() const
{
    make_folder(file_.parent_path(), 0700);
    save_atomically(file_, "", 0600);
}

std::uint64_t DoubtMark::id() const
{
    const auto file = file_id(file_);
    return file ? file->inode : 0;
}

void DoubtMark::clear(std::uint64_t id) const
{
    if (id != 0 && id == this->id())
        remove_durably(file_);
}

std::vector<ChunkRange> differing_chunks(const Paths& paths, const PoolDefinition& pool,
                                         const std::function<void(double)>& show)
{
    const std::string node = paths.device(pool.md_kernel_name());
    const UniqueFd array = open_file(node, O_RDONLY | O_DIRECT);
    const UniqueFd image = open_uncached(pool.image);
    const off_t end = ::lseek(array.get(), 0, SEEK_END);
    if (end < 0)
        throw SystemError(errno, fmt::format("find the end of '{}'", node));
    const auto size = static_cast<std::uint64_t>(end);
    const std::uint64_t offset = view_pool(paths, pool).data_offset();
    const std::uint64_t chunk = bitmap_chunk_of(paths, pool.md_number);
    const PageBuffer left(kPiece);
    const PageBuffer right(kPiece);
    std::vector<ChunkRange> ranges;
    for (std::uint64_t at = 0; at < size; at += kPiece) {
        // The rest of a chunk that is to be copied anyway.
        if (!ranges.empty() && (at + kPiece - 1) / chunk <= ranges.back().last)
            continue;
        const std::uint64_t length = std::min(kPiece, size - at);
        const auto wanted = left.bytes().first(length);
        const auto found = right.bytes().first(length);
        const bool same = wait_until(kSettle, [&] {
            read_piece(array.get(), node, at, wanted);
            read_piece(image.get(), pool.image, offset + at, found);
            return std::memcmp(wanted.data(), found.data(), length) == 0;
        });
        // A piece may cover several chunks: md copies a few too many then.
        if (!same)
            add_range(ranges, {at / chunk, (at + length - 1) / chunk});
        show(100.0 * static_cast<double>(at + length) / static_cast<double>(size));
    }
    return ranges;
}

} // namespace zraid
