#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace zraid {

/// A run of a file's bytes and where its device has it (ioctl FIEMAP).
struct MappedExtent
{
    std::uint64_t logical = 0;  ///< bytes into the file
    std::uint64_t physical = 0; ///< bytes into the device
    std::uint64_t length = 0;   ///< bytes

    bool operator==(const MappedExtent&) const = default;
};

/// Where the bytes of a file lie, by place in the file. It does not change when a range is inserted
/// or taken out in front of them: that is how a shift that a power cut ended half way is told from
/// one that was not begun.
using FileMap = std::vector<MappedExtent>;

/// Flushes an open file and lists where it lies.
/// @param name of the file, for messages
/// @throws Error if its file system cannot say, or would not say the same again
FileMap read_file_map(int fd, const std::string& name);

/// The map of the file as it is without its first bytes, and without what lies behind `size`.
FileMap map_behind(const FileMap& map, std::uint64_t front, std::uint64_t size);

/// A line of three numbers for each extent, and a last one that tells that none is missing.
std::string to_text(const FileMap& map);
/// @throws Error if it is anything else
FileMap parse_file_map(const std::string& text);

/// How far the shift of a file went.
struct ShiftState
{
    enum class Where
    {
        plain,    ///< every byte is where the map has it
        inserted, ///< every byte is `front` further
        between,  ///< those before the gap are where the map has them, all others `front` further
    };
    Where where = Where::plain;
    std::uint64_t gap = 0; ///< where the gap of `front` bytes is, bytes into the file
};

/// @param plain map of the file before anything was inserted, or as it is to be
/// @param now map of the file
/// @throws Error if the file is neither, nor on the way from one to the other
ShiftState compare_maps(const FileMap& plain, const FileMap& now, std::uint64_t front);

/// Can the file system of a folder insert a range into a file, and take it out again? Tried with a
/// file that has no name: the folder does not change.
/// @return nothing: it makes no such files, so that only doing it tells
std::optional<bool> can_insert_range(const std::string& folder, std::uint64_t front);

/// What to do where it cannot.
const char* without_insert_range();

/// Puts zeros in front of a file without moving a byte on its device (fallocate(2),
/// FALLOC_FL_INSERT_RANGE).
/// @throws Error if the file system cannot; the file is as it was then
void insert_front(int fd, const std::string& name, std::uint64_t front);

/// Takes a range out of a file; what lies behind it moves up (FALLOC_FL_COLLAPSE_RANGE).
void take_out(int fd, const std::string& name, std::uint64_t at, std::uint64_t length);

} // namespace zraid
