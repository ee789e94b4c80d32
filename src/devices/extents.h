#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace zraid {

/// A run of bytes in a file.
struct Extent
{
    std::uint64_t begin = 0;
    std::uint64_t end = 0; ///< one past the last

    bool operator==(const Extent&) const = default;
};

/// Flushes a file and lists the parts of it that hold data (lseek(2), SEEK_DATA and SEEK_HOLE). All
/// else reads as zeros: holes, and space that was allocated but never written.
///
/// A file system that cannot tell holes says that all is data; that is right, only slow.
/// @throws SystemError
std::vector<Extent> data_extents(const std::string& path);

} // namespace zraid
