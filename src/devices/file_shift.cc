#include "devices/file_shift.h"

#include "util/error.h"
#include "util/fd.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sstream>

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace zraid {

namespace {

constexpr const char* kNoteEnd = "end";
constexpr const char* kOtherWays =
    "its file system cannot do without copying: --copy makes a copy, or "
    "move the image to xfs or ext4";
constexpr std::uint64_t kUnit = 512; // no file system has smaller blocks

/// One call of FIEMAP: its header, with room for some extents behind it.
class FiemapCall
{
public:
    /// @return number of extents from `begin` on that it tells of
    std::size_t ask(int fd, const std::string& name, std::uint64_t begin)
    {
        fiemap header{};
        header.fm_start = begin;
        header.fm_length = FIEMAP_MAX_OFFSET - begin;
        header.fm_flags = FIEMAP_FLAG_SYNC;
        header.fm_extent_count = kRoom;
        std::memcpy(buffer_.data(), &header, sizeof header);
        if (::ioctl(fd, FS_IOC_FIEMAP, buffer_.data()) != 0) // NOLINT(*-vararg)
            throw SystemError(errno, fmt::format("ask where '{}' lies", name), kOtherWays);
        std::memcpy(&header, buffer_.data(), sizeof header);
        return header.fm_mapped_extents;
    }

    fiemap_extent extent(std::size_t index) const
    {
        fiemap_extent extent{};
        std::memcpy(&extent, &buffer_.at(sizeof(fiemap) + index * sizeof extent), sizeof extent);
        return extent;
    }

private:
    static constexpr std::size_t kRoom = 256;
    std::vector<char> buffer_ = std::vector<char>(sizeof(fiemap) + kRoom * sizeof(fiemap_extent));
};

std::optional<std::uint64_t> physical_at(const FileMap& map, std::uint64_t logical)
{
    auto after = std::upper_bound(
        map.begin(), map.end(), logical,
        [](std::uint64_t at, const MappedExtent& extent) { return at < extent.logical; });
    if (after == map.begin())
        return std::nullopt;
    const MappedExtent& extent = *--after;
    if (logical - extent.logical >= extent.length)
        return std::nullopt;
    return extent.physical + (logical - extent.logical);
}

/// Compares maps block by block.
class Comparison
{
public:
    Comparison(const FileMap& now, std::uint64_t front) : now_(now), front_(front) {}

    enum class Place
    {
        plain,
        shifted,
        both, ///< one file may hold the same blocks twice (reflinks)
    };

    Place of(const MappedExtent& extent, std::uint64_t offset) const
    {
        const std::uint64_t physical = extent.physical + offset;
        const bool here = physical_at(now_, extent.logical + offset) == physical;
        const bool there = physical_at(now_, extent.logical + offset + front_) == physical;
        if (!here && !there)
            throw Error(fmt::format("byte {} of it is not where it was", extent.logical + offset),
                        "somebody changed or copied the file; nothing is done to it");
        return here && there ? Place::both : here ? Place::plain : Place::shifted;
    }

    /// An extent whose begin is plain and whose end is shifted: where between them is the gap?
    std::uint64_t gap_in(const MappedExtent& extent) const
    {
        std::uint64_t low = 0;
        std::uint64_t high = (extent.length - 1) / kUnit;
        while (high - low > 1) {
            const std::uint64_t middle = low + (high - low) / 2;
            (of(extent, middle * kUnit) == Place::plain ? low : high) = middle;
        }
        return extent.logical + high * kUnit;
    }

private:
    const FileMap& now_;
    std::uint64_t front_;
};

} // namespace

FileMap read_file_map(int fd, const std::string& name)
{
    FileMap map;
    FiemapCall call;
    for (std::uint64_t at = 0;;) {
        const std::size_t count = call.ask(fd, name, at);
        if (count == 0)
            return map;
        for (std::size_t i = 0; i < count; ++i) {
            const fiemap_extent extent = call.extent(i);
            constexpr __u32 vague = FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC |
                                    FIEMAP_EXTENT_ENCODED | FIEMAP_EXTENT_DATA_INLINE |
                                    FIEMAP_EXTENT_NOT_ALIGNED;
            if ((extent.fe_flags & vague) != 0)
                throw Error(fmt::format("'{}' has no fixed place on its file system", name),
                            kOtherWays);
            map.push_back({extent.fe_logical, extent.fe_physical, extent.fe_length});
            at = extent.fe_logical + extent.fe_length;
            if ((extent.fe_flags & FIEMAP_EXTENT_LAST) != 0)
                return map;
        }
    }
}

FileMap map_behind(const FileMap& map, std::uint64_t front, std::uint64_t size)
{
    FileMap result;
    for (const MappedExtent& extent : map) {
        const std::uint64_t begin = std::max(extent.logical, front);
        const std::uint64_t end = std::min(extent.logical + extent.length, front + size);
        if (begin < end)
            result.push_back(
                {begin - front, extent.physical + (begin - extent.logical), end - begin});
    }
    return result;
}

std::string to_text(const FileMap& map)
{
    std::string text;
    for (const MappedExtent& extent : map)
        text += fmt::format("{} {} {}\n", extent.logical, extent.physical, extent.length);
    return text + kNoteEnd + "\n";
}

FileMap parse_file_map(const std::string& text)
{
    FileMap map;
    std::istringstream lines(text);
    std::uint64_t end = 0;
    for (std::string line; std::getline(lines, line);) {
        if (line == kNoteEnd)
            return map;
        MappedExtent extent;
        std::istringstream words(line);
        if (!(words >> extent.logical >> extent.physical >> extent.length) ||
            !(words >> std::ws).eof() || extent.length == 0 || extent.logical < end)
            break;
        end = extent.logical + extent.length;
        map.push_back(extent);
    }
    throw Error("the list of where the image lay is broken");
}

ShiftState compare_maps(const FileMap& plain, const FileMap& now, std::uint64_t front)
{
    const Comparison comparison(now, front);
    using Place = Comparison::Place;
    bool any_plain = false;
    bool any_both = false;
    std::optional<std::uint64_t> first_shifted;
    for (const MappedExtent& extent : plain) {
        const std::uint64_t last = (extent.length - 1) / kUnit * kUnit;
        for (const std::uint64_t offset : {std::uint64_t{0}, last}) {
            const Place place = comparison.of(extent, offset);
            if (place == Place::both) {
                any_both = true;
            } else if (place == Place::shifted) {
                if (!first_shifted)
                    first_shifted = offset == 0 ? extent.logical : comparison.gap_in(extent);
            } else if (first_shifted) {
                throw Error("its parts are in another order than before",
                            "somebody changed the file; nothing is done to it");
            } else {
                any_plain = true;
            }
        }
    }
    if (any_both && any_plain == first_shifted.has_value())
        throw Error("it holds the same blocks twice, so it cannot be seen what was moved",
                    "bring it back from a backup");
    if (!first_shifted)
        return {};
    return {any_plain ? ShiftState::Where::between : ShiftState::Where::inserted, *first_shifted};
}

std::optional<bool> can_insert_range(const std::string& folder, std::uint64_t front)
{
    const UniqueFd fd(
        ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)); // NOLINT(*-vararg)
    if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(front)) != 0)
        return std::nullopt;
    return ::fallocate(fd.get(), FALLOC_FL_INSERT_RANGE, 0, static_cast<off_t>(front)) == 0 &&
           ::fallocate(fd.get(), FALLOC_FL_COLLAPSE_RANGE, 0, static_cast<off_t>(front)) == 0;
}

const char* without_insert_range()
{
    return kOtherWays;
}

void insert_front(int fd, const std::string& name, std::uint64_t front)
{
    if (::fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, static_cast<off_t>(front)) != 0) {
        const bool unable = errno == EOPNOTSUPP || errno == EINVAL || errno == ENOSYS;
        throw SystemError(errno, fmt::format("insert {} bytes in front of '{}'", front, name),
                          unable ? kOtherWays : "");
    }
}

void take_out(int fd, const std::string& name, std::uint64_t at, std::uint64_t length)
{
    if (::fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, static_cast<off_t>(at),
                    static_cast<off_t>(length)) != 0)
        throw SystemError(errno, fmt::format("take {} bytes out of '{}'", length, name));
}

} // namespace zraid
