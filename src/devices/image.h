#pragma once

#include <cstdint>
#include <string>

namespace zraid {

/// What an image file holds.
enum class ImageContent
{
    missing, ///< no such file
    empty,   ///< nothing but zeros
    array,   ///< an md superblock where a disk leg has it
    other,   ///< something
};

struct ImageInfo
{
    ImageContent content = ImageContent::missing;
    std::uint64_t size = 0; ///< bytes
};

/// Looks at an image. Only allocated parts are read (SEEK_DATA), and only up to the first byte that
/// is not zero.
/// @throws Error if it is no regular file, or cannot be opened for reading and writing
ImageInfo inspect_image(const std::string& path);

/// Makes an image file, mode 0600. It must not exist.
/// @param size bytes
/// @param preallocate allocate its blocks now instead of when they are written
/// @throws SystemError, such as EFBIG where the file system cannot hold such a file; no file is
/// left
void create_image(const std::string& path, std::uint64_t size, bool preallocate);

/// Makes the first and last 2 MiB of an image zeros again: everything that making an array and a
/// partition table on an empty one writes.
void blank_image_ends(const std::string& path);

} // namespace zraid
