#pragma once

#include "util/paths.h"

#include <cstdint>
#include <optional>
#include <string>

namespace zraid {

/// What an image is.
enum class ImageKind
{
    file,  ///< a regular file
    block, ///< a block device: a logical volume, a disk of a SAN, …
};

/// "file" or "block"
std::string to_string(ImageKind kind);

/// What a path leads to; nothing if it leads nowhere, or to something that is no image.
std::optional<ImageKind> image_kind(const std::string& path);

/// What an image holds.
enum class ImageContent
{
    missing, ///< no such file; never of a device
    empty,   ///< nothing but zeros
    array,   ///< an md superblock where a disk leg has it
    other,   ///< something
};

struct ImageInfo
{
    ImageContent content = ImageContent::missing;
    std::uint64_t size = 0; ///< bytes
    ImageKind kind = ImageKind::file;
    std::string found{}; ///< types of the signatures on a device; empty: none
};

/// Looks at an image. Only allocated parts are read (SEEK_DATA), and only up to the first byte that
/// is not zero. A device has no parts that are not allocated: there signatures (wipefs) tell, and
/// the first and last MiBs.
/// @throws Error if it is neither a regular file nor a block device, is missing below /dev, or
/// cannot be opened for reading and writing
ImageInfo inspect_image(const std::string& path);

/// Makes an image file, mode 0600. It must not exist.
/// @param size bytes
/// @param preallocate allocate its blocks now instead of when they are written
/// @throws SystemError, such as EFBIG where the file system cannot hold such a file; no file is
/// left
void create_image(const std::string& path, std::uint64_t size, bool preallocate);

/// Goes on with a blank image that a killed create_image left too short, or without its blocks.
/// Also makes an image longer that holds something.
/// @throws Error if it is longer than that; SystemError as create_image, the file stays
void complete_image(const std::string& path, std::uint64_t size, bool preallocate);

/// Size of an image, bytes, without opening it; 0 if it is not there, or is a device that is not
/// connected.
std::uint64_t image_size(const Paths& paths, const std::string& path);

/// What a file takes of its file system, bytes; 0 for a device, or if it cannot be asked.
std::uint64_t allocated_bytes(const std::string& path);

/// Makes all of an image zeros again.
/// @throws SystemError where its file system cannot do that
void blank_image(const std::string& path);

/// Makes the first and last 2 MiB of an image zeros again: everything that making an array and a
/// partition table on an empty one writes.
void blank_image_ends(const std::string& path);

} // namespace zraid
