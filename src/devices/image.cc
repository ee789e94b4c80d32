#include "devices/image.h"

#include "devices/superblock.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/size.h"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/falloc.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zraid {

namespace {

/// Is every allocated byte of the file zero?
bool is_blank(int fd, const std::string& path, off_t size)
{
    std::vector<char> buffer(MiB);
    for (off_t at = 0; at < size;) {
        at = ::lseek(fd, at, SEEK_DATA);
        if (at < 0 && errno == ENXIO) // holes up to the end
            return true;
        if (at < 0)
            throw SystemError(errno, fmt::format("look for data in '{}'", path));
        const ssize_t n = ::pread(fd, buffer.data(), buffer.size(), at);
        if (n < 0)
            throw SystemError(errno, fmt::format("read '{}'", path));
        if (n == 0)
            return true;
        if (std::any_of(buffer.begin(), buffer.begin() + n, [](char c) { return c != 0; }))
            return false;
        at += n;
    }
    return true;
}

} // namespace

ImageInfo inspect_image(const std::string& path)
{
    struct stat info = {};
    if (::stat(path.c_str(), &info) != 0) {
        if (errno == ENOENT)
            return {};
        throw SystemError(errno, "stat '" + path + "'");
    }
    if (!S_ISREG(info.st_mode))
        throw Error(fmt::format("image '{}' is {}, not a regular file", path,
                                S_ISDIR(info.st_mode) ? "a directory" : "something else"),
                    "give the path of an image file, or of one that is to be made");
    const UniqueFd fd = open_file(path, O_RDWR);
    ImageInfo image{ImageContent::other, static_cast<std::uint64_t>(info.st_size)};
    if (read_superblock(path))
        image.content = ImageContent::array;
    else if (is_blank(fd.get(), path, info.st_size))
        image.content = ImageContent::empty;
    return image;
}

void create_image(const std::string& path, std::uint64_t size, bool preallocate)
{
    const UniqueFd fd = open_file(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    const auto length = static_cast<off_t>(size);
    int code = ::ftruncate(fd.get(), length) == 0 ? 0 : errno;
    if (code == 0 && preallocate)
        code = ::posix_fallocate(fd.get(), 0, length);
    if (code == 0 && ::fsync(fd.get()) != 0)
        code = errno;
    if (code == 0)
        return;
    ::unlink(path.c_str());
    throw SystemError(code, fmt::format("make an image of {} at '{}'", format_size(size), path),
                      code == EFBIG    ? "its file system cannot hold so large a file"
                      : code == ENOSPC ? "its file system is too full"
                                       : "");
}

void blank_image_ends(const std::string& path)
{
    const UniqueFd fd = open_file(path, O_RDWR);
    const off_t size = ::lseek(fd.get(), 0, SEEK_END);
    constexpr off_t end = 2 * static_cast<off_t>(MiB);
    // Zeros written where the file system has no quicker way.
    const std::vector<char> zeros(static_cast<std::size_t>(end));
    for (const off_t at : {off_t{0}, std::max<off_t>(0, size - end)}) {
        const off_t length = std::min(end, size - at);
        if (::fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, length) != 0 &&
            ::pwrite(fd.get(), zeros.data(), static_cast<std::size_t>(length), at) != length)
            throw SystemError(errno, fmt::format("write zeros to '{}'", path));
    }
    if (::fsync(fd.get()) != 0)
        throw SystemError(errno, fmt::format("fsync '{}'", path));
}

} // namespace zraid
