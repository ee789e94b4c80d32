#include "mirror/verify.h"

#include "devices/file_id.h"
#include "devices/page_buffer.h"
#include "mirror/state.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/files.h"
#include "util/log.h"
#include "util/wait.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
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

/// Begins the text of a mark that no comparison ends.
constexpr const char* kUnknown = "which leg is right is not known: ";

/// Marks that could not be written: the RAM leg stays at least as long as this process lives.
std::map<std::filesystem::path, std::string> unwritten;
std::mutex unwritten_mutex;
constexpr std::uint64_t kUnwrittenId = ~std::uint64_t{0};

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

void DoubtMark::set(const std::string& why, std::optional<DoubtKind> kind) const
{
    std::string now;
    try {
        now = text();
    } catch (const std::exception&) { // the new one counts all the same
    }
    std::string wanted = why;
    if (kind == DoubtKind::unknown)
        wanted = kUnknown + why;
    else if (!kind && now.starts_with(kUnknown))
        wanted = now;
    try {
        make_folder(file_.parent_path(), 0700);
        save_atomically(file_, wanted + "\n", 0600);
        const std::lock_guard guard(unwritten_mutex);
        unwritten.erase(file_);
    } catch (const std::exception& e) {
        log().critical("'{}' cannot be noted, so the RAM leg stays as long as this process lives: "
                       "{}",
                       file_.string(), explain(e));
        const std::lock_guard guard(unwritten_mutex);
        unwritten[file_] = wanted;
    }
}

std::uint64_t DoubtMark::id() const
{
    if (const auto file = file_id(file_))
        return file->inode;
    const std::lock_guard guard(unwritten_mutex);
    return unwritten.contains(file_) ? kUnwrittenId : 0;
}

std::string DoubtMark::text() const
{
    {
        const std::lock_guard guard(unwritten_mutex);
        if (const auto found = unwritten.find(file_); found != unwritten.end())
            return found->second;
    }
    auto text = read_if_there(file_).value_or("");
    text.erase(text.find_last_not_of('\n') + 1);
    return text;
}

DoubtKind DoubtMark::kind() const
{
    return text().starts_with(kUnknown) ? DoubtKind::unknown : DoubtKind::ram_is_right;
}

std::string DoubtMark::why() const
{
    const std::string text = this->text();
    return text.starts_with(kUnknown) ? text.substr(std::string_view(kUnknown).size()) : text;
}

void DoubtMark::clear(std::uint64_t id) const
{
    if (id == 0 || id != this->id())
        return;
    if (file_id(file_))
        remove_durably(file_);
    const std::lock_guard guard(unwritten_mutex);
    unwritten.erase(file_);
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
