#include "adoption/adopted_image.h"

#include "adoption/hidden_file.h"
#include "devices/file_id.h"
#include "devices/lease.h"
#include "devices/superblock.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/files.h"
#include "util/log.h"

#include <cerrno>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zraid {

namespace {

void give_length(int fd, const std::string& name, std::uint64_t size)
{
    struct stat info = {};
    if (::fstat(fd, &info) != 0)
        throw SystemError(errno, "stat '" + name + "'");
    // Only where it is another: the file keeps the time of its last change.
    const bool other = static_cast<std::uint64_t>(info.st_size) != size;
    if ((other && ::ftruncate(fd, static_cast<off_t>(size)) != 0) || ::fsync(fd) != 0)
        throw SystemError(errno, fmt::format("give '{}' a length of {} bytes", name, size));
}

void check_file(int fd, const std::string& name, std::uint64_t size)
{
    struct stat info = {};
    if (::fstat(fd, &info) != 0)
        throw SystemError(errno, "stat '" + name + "'");
    if (static_cast<std::uint64_t>(info.st_size) != size)
        throw Error(fmt::format("'{}' has {} bytes, not {}", name, info.st_size, size),
                    "somebody changed it meanwhile; try again");
    if (info.st_nlink != 1)
        throw Error(
            fmt::format("'{}' has another name", name),
            fmt::format("find -samefile '{}' shows it; remove the one that is not needed", name));
}

/// @throws Error if it is too long to be read again
std::string map_text(const FileMap& map, const std::string& name)
{
    constexpr std::size_t most = std::size_t{12} << 20U;
    std::string text = to_text(map);
    if (text.size() > most)
        throw Error(
            fmt::format("'{}' lies in {} pieces, too many to move it safely", name, map.size()),
            "put it together first (xfs_fsr, e4defrag)");
    return text;
}

} // namespace

AdoptedImage::AdoptedImage(const Paths& paths, const AdoptionRecord& record)
    : paths_(paths), record_(record), store_(paths), hidden_(record.pool.image)
{
}

bool AdoptedImage::is_shown() const
{
    return is_file_shown(record_.image, hidden_);
}

bool AdoptedImage::is_array() const
{
    if (!file_id(hidden_))
        return false;
    const auto superblock = read_superblock(hidden_);
    return superblock && superblock->array_uuid == record_.pool.uuid;
}

void AdoptedImage::refuse_unmovable() const
{
    refuse_open_file(paths_, record_.image);
    const UniqueFd fd = open_file(record_.image, O_RDONLY);
    check_file(fd.get(), record_.image, record_.size);
    map_text(read_file_map(fd.get(), record_.image), record_.image);
    const std::string folder = std::filesystem::path(record_.image).parent_path();
    if (can_insert_range(folder, kAdoptedFront) == false)
        throw Error(fmt::format("nothing can be inserted in front of '{}'", record_.image),
                    without_insert_range());
}

void AdoptedImage::hide() const
{
    if (!is_shown())
        return;
    hide_file(paths_, record_.image, hidden_,
              [&](int fd) { check_file(fd, record_.image, record_.size); });
}

void AdoptedImage::shift_in() const
{
    const UniqueFd fd = open_file(hidden_, O_RDWR);
    const ExclusiveLease lease(fd.get(), hidden_);
    if (finish_shift(fd.get()) == ShiftState::Where::plain) {
        check_file(fd.get(), hidden_, record_.size);
        save_map(map_behind(read_file_map(fd.get(), hidden_), 0, record_.size));
        insert_front(fd.get(), hidden_, kAdoptedFront);
    }
    give_length(fd.get(), hidden_, record_.pool.size);
}

void AdoptedImage::forget_map() const
{
    const auto file = store_.map_file(record_.pool.name);
    if (std::filesystem::exists(file))
        remove_durably(file);
}

void AdoptedImage::shift_out() const
{
    const bool array = is_array();
    const UniqueFd fd = open_file(hidden_, O_RDWR);
    const ExclusiveLease lease(fd.get(), hidden_);
    if (array)
        save_map(map_behind(read_file_map(fd.get(), hidden_), kAdoptedFront, record_.size));
    if (array || finish_shift(fd.get()) == ShiftState::Where::inserted)
        take_out(fd.get(), hidden_, 0, kAdoptedFront);
    give_length(fd.get(), hidden_, record_.size);
}

void AdoptedImage::show() const
{
    show_file(record_.image, hidden_);
}

/// After a shift that was begun: all bytes are in one place or all in the other.
ShiftState::Where AdoptedImage::finish_shift(int fd) const
{
    const auto text = read_if_there(store_.map_file(record_.pool.name));
    if (!text)
        return ShiftState::Where::plain;
    const FileMap plain = parse_file_map(*text);
    ShiftState state;
    if (!plain.empty()) // else it is one hole
        state = in_context(fmt::format("'{}'", hidden_), [&] {
            return compare_maps(plain, read_file_map(fd, hidden_), kAdoptedFront);
        });
    if (state.where == ShiftState::Where::inserted)
        return state.where;
    if (state.where == ShiftState::Where::between) {
        log().warn("'{}': its shift was cut off at byte {}; taken back", hidden_, state.gap);
        take_out(fd, hidden_, state.gap, kAdoptedFront);
    }
    give_length(fd, hidden_, record_.size);
    return ShiftState::Where::plain;
}

void AdoptedImage::save_map(const FileMap& map) const
{
    save_atomically(store_.map_file(record_.pool.name), map_text(map, hidden_), 0600);
}

} // namespace zraid
