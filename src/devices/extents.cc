#include "devices/extents.h"

#include "util/error.h"
#include "util/fd.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace zraid {

std::vector<Extent> data_extents(const std::string& path)
{
    const UniqueFd fd = open_file(path, O_RDONLY);
    // Data that waits in the page cache over space allocated in advance counts as a hole on some
    // file systems until it is written.
    if (::fsync(fd.get()) != 0)
        throw SystemError(errno, "flush '" + path + "'");
    std::vector<Extent> extents;
    for (off_t at = 0;;) {
        const off_t begin = ::lseek(fd.get(), at, SEEK_DATA);
        if (begin < 0 && errno == ENXIO) // nothing but a hole up to the end
            return extents;
        const off_t end = begin < 0 ? -1 : ::lseek(fd.get(), begin, SEEK_HOLE);
        if (end < 0)
            throw SystemError(errno, "look for the data in '" + path + "'");
        extents.push_back({static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(end)});
        at = end;
    }
}

} // namespace zraid
