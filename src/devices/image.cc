#include "devices/image.h"

#include "devices/block_device.h"
#include "devices/superblock.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/files.h"
#include "util/size.h"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/falloc.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zraid {

namespace {

/// What is looked at, and made blank again, at either end of an image.
constexpr off_t kSignatureArea = 2 * static_cast<off_t>(MiB);

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

/// Gives the file this size, and its blocks if they are to be there.
void lengthen(int fd, const std::string& path, std::uint64_t size, bool preallocate)
{
    const auto length = static_cast<off_t>(size);
    int code = ::ftruncate(fd, length) == 0 ? 0 : errno;
    if (code == 0 && preallocate)
        code = ::posix_fallocate(fd, 0, length);
    if (code == 0 && ::fsync(fd) != 0)
        code = errno;
    if (code != 0)
        throw SystemError(code, fmt::format("make an image of {} at '{}'", format_size(size), path),
                          code == EFBIG    ? "its file system cannot hold so large a file"
                          : code == ENOSPC ? "its file system is too full"
                                           : "");
}

/// Are these bytes zeros? Up to the end of what is there.
bool is_zero(int fd, const std::string& path, off_t from, off_t length)
{
    std::vector<char> buffer(static_cast<std::size_t>(length));
    const ssize_t n = ::pread(fd, buffer.data(), buffer.size(), from);
    if (n < 0)
        throw SystemError(errno, fmt::format("read '{}'", path));
    return std::all_of(buffer.begin(), buffer.begin() + n, [](char c) { return c == 0; });
}

ImageInfo inspect_device(const std::string& path)
{
    const UniqueFd fd = open_file(path, O_RDWR);
    const off_t size = ::lseek(fd.get(), 0, SEEK_END);
    if (size <= 0)
        throw Error(fmt::format("device '{}' has no size", path), "connect it first");
    ImageInfo image{ImageContent::other, static_cast<std::uint64_t>(size), ImageKind::block};
    if (read_superblock(path)) {
        image.content = ImageContent::array;
        return image;
    }
    image.found = what_is_on(path);
    if (!image.found.empty())
        return image;
    // To read all of a large device for nothing but zeros would take hours.
    const off_t last = std::max<off_t>(0, size - kSignatureArea);
    if (is_zero(fd.get(), path, 0, kSignatureArea) && is_zero(fd.get(), path, last, kSignatureArea))
        image.content = ImageContent::empty;
    return image;
}

} // namespace

std::string to_string(ImageKind kind)
{
    return kind == ImageKind::block ? "block" : "file";
}

std::optional<ImageKind> image_kind(const std::string& path)
{
    struct stat info = {};
    if (::stat(path.c_str(), &info) != 0)
        return std::nullopt;
    if (S_ISBLK(info.st_mode))
        return ImageKind::block;
    return S_ISREG(info.st_mode) ? std::optional(ImageKind::file) : std::nullopt;
}

std::uint64_t image_size(const Paths& paths, const std::string& path)
{
    struct stat info = {};
    if (::stat(path.c_str(), &info) != 0)
        return 0;
    return S_ISBLK(info.st_mode) ? device_size(paths, path)
                                 : static_cast<std::uint64_t>(info.st_size);
}

ImageInfo inspect_image(const std::string& path)
{
    struct stat info = {};
    if (::stat(path.c_str(), &info) != 0) {
        if (errno == ENOENT && path.starts_with("/dev/"))
            throw Error(fmt::format("there is no device '{}'", path),
                        "connect or activate it first; see lsblk");
        if (errno == ENOENT)
            return {};
        throw SystemError(errno, "stat '" + path + "'");
    }
    if (S_ISBLK(info.st_mode))
        return inspect_device(path);
    if (!S_ISREG(info.st_mode))
        throw Error(fmt::format("image '{}' is {}, not a regular file", path,
                                S_ISDIR(info.st_mode) ? "a directory" : "something else"),
                    "give the path of an image file, of one that is to be made, or of a block "
                    "device");
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
    try {
        lengthen(fd.get(), path, size, preallocate);
    } catch (...) {
        ::unlink(path.c_str());
        throw;
    }
}

void complete_image(const std::string& path, std::uint64_t size, bool preallocate)
{
    const UniqueFd fd = open_file(path, O_RDWR);
    if (::lseek(fd.get(), 0, SEEK_END) > static_cast<off_t>(size))
        throw Error(fmt::format("image '{}' is longer than {}", path, format_size(size)));
    lengthen(fd.get(), path, size, preallocate);
}

std::uint64_t allocated_bytes(const std::string& path)
{
    struct stat info = {};
    return ::stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_blocks) * 512 : 0;
}

void blank_image(const std::string& path)
{
    const UniqueFd fd = open_file(path, O_RDWR);
    const off_t size = ::lseek(fd.get(), 0, SEEK_END);
    if (::fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, size) != 0 &&
        ::fallocate(fd.get(), FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 0, size) != 0)
        throw SystemError(errno, fmt::format("write zeros to '{}'", path));
    sync_file(fd.get(), path);
}

void blank_image_ends(const std::string& path)
{
    const UniqueFd fd = open_file(path, O_RDWR);
    const off_t size = ::lseek(fd.get(), 0, SEEK_END);
    constexpr off_t end = kSignatureArea;
    // Zeros written where the file system has no quicker way.
    const std::vector<char> zeros(static_cast<std::size_t>(end));
    for (const off_t at : {off_t{0}, std::max<off_t>(0, size - end)}) {
        const off_t length = std::min(end, size - at);
        if (::fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, length) != 0 &&
            ::pwrite(fd.get(), zeros.data(), static_cast<std::size_t>(length), at) != length)
            throw SystemError(errno, fmt::format("write zeros to '{}'", path));
    }
    sync_file(fd.get(), path);
}

} // namespace zraid
