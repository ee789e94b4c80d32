#pragma once

#include <cstdint>
#include <filesystem>

namespace zraid {

/// Has the kernel forget what it keeps of a file's bytes in memory (posix_fadvise(2),
/// POSIX_FADV_DONTNEED). What is not on the disk yet stays, and is on its way there. A file that
/// cannot be opened is left alone: this saves memory, nothing depends on it.
/// @param from, to bytes; 0 as `to` means the file's end
void drop_cached_pages(const std::filesystem::path& file, std::uint64_t from, std::uint64_t to);

} // namespace zraid
