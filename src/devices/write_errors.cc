#include "devices/write_errors.h"

#include "util/error.h"
#include "util/files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace zraid {

namespace {

/// Behind the end of any file: no page there is waited for, or written.
constexpr off_t kBehindTheEnd = off_t{1} << 60U;

/// What a call says of a descriptor that it is not made for.
constexpr std::array kCannotBeAsked{EBADF, EINVAL, ESPIPE, ENOSYS, EOPNOTSUPP};

bool says_cannot_be_asked(int code)
{
    return std::find(kCannotBeAsked.begin(), kCannotBeAsked.end(), code) != kCannotBeAsked.end();
}

bool is_missing(int code)
{
    return code == ENOENT || code == ENOTDIR;
}

/// @return an errno value
int ask(int fd, unsigned flags)
{
    int code = 0;
    do
        code = ::sync_file_range(fd, kBehindTheEnd, 1, flags) == 0 ? 0 : errno;
    while (code == EINTR);
    return code;
}

/// The same, but for a file that cannot be asked at all: that answers the same each time, where a
/// recorded error of that number is told once.
int error_of(int fd, unsigned flags)
{
    const int code = ask(fd, flags);
    return says_cannot_be_asked(code) && ask(fd, flags) == code ? 0 : code;
}

/// @param folder of a device in /sys
bool is_read_only(const std::filesystem::path& folder)
{
    return read_attribute(folder / "ro") == "1";
}

/// A mount may be read-only where its file system is not: in the namespace of a service, say. What
/// stands behind " - " in mountinfo is the file system's own (proc(5)).
bool is_file_system_read_only(const Paths& paths, int fd, const std::string& path)
{
    struct statx info = {};
    const int flags = fd >= 0 ? AT_EMPTY_PATH : 0;
    if (::statx(fd >= 0 ? fd : AT_FDCWD, fd >= 0 ? "" : path.c_str(), flags, STATX_MNT_ID, &info) !=
            0 ||
        (info.stx_mask & STATX_MNT_ID) == 0)
        return true;
    std::istringstream lines(read_if_there(paths.proc / "self/mountinfo").value_or(""));
    const std::string number = std::to_string(info.stx_mnt_id) + " ";
    for (std::string line; std::getline(lines, line);) {
        const std::size_t dash = line.find(" - ");
        if (!line.starts_with(number) || dash == std::string::npos)
            continue;
        std::istringstream words(line.substr(dash + 3));
        std::string type;
        std::string source;
        std::string options;
        words >> type >> source >> options;
        return options == "ro" || options.starts_with("ro,");
    }
    return true;
}

/// @param fd of the image, or -1: then its path counts
std::string trouble_of(const Paths& paths, const struct stat& image, const struct statvfs& system,
                       int fd, const std::string& path)
{
    const bool block = S_ISBLK(image.st_mode);
    const dev_t device = block ? image.st_rdev : image.st_dev;
    const auto devices = paths.sys / "dev/block";
    const auto folder =
        devices / fmt::format("{}:{}", gnu_dev_major(device), gnu_dev_minor(device));
    if (block)
        return is_read_only(folder) ? "the device is read-only" : "";
    if ((system.f_flag & ST_RDONLY) != 0 && is_file_system_read_only(paths, fd, path))
        return "its file system is read-only";
    // Those without a device of their own (NFS, btrfs, tmpfs) have a number without a major part.
    std::error_code ignored;
    if (gnu_dev_major(device) != 0 && std::filesystem::exists(devices, ignored) &&
        !std::filesystem::exists(folder, ignored))
        return "the device of its file system is gone";
    return "";
}

} // namespace

std::string image_trouble(const Paths& paths, const std::string& image)
{
    struct stat info = {};
    struct statvfs system = {};
    if (::stat(image.c_str(), &info) != 0 || ::statvfs(image.c_str(), &system) != 0) {
        const int code = errno;
        return is_missing(code) ? "" : fmt::format("stat '{}': {}", image, errno_text(code));
    }
    return trouble_of(paths, info, system, -1, image);
}

std::string refused_write_out(const std::string& image)
{
    // NOLINTNEXTLINE(*-vararg)
    const UniqueFd fd(::open(image.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    const int code = fd ? error_of(fd.get(), SYNC_FILE_RANGE_WRITE) : 0;
    return code == 0 ? "" : errno_text(code);
}

WriteErrors::WriteErrors(Paths paths, const std::filesystem::path& file)
    : paths_(std::move(paths)), path_(file),
      fd_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)), // NOLINT(*-vararg)
      refusal_(fd_ ? 0 : errno)
{
    struct stat info = {};
    if (fd_ && ::fstat(fd_.get(), &info) == 0)
        file_ = FileId{info.st_dev, info.st_ino};
}

std::string WriteErrors::look() const
{
    if (!fd_)
        return is_missing(refusal_)
                   ? ""
                   : fmt::format("open '{}': {}", path_.string(), errno_text(refusal_));
    // The second starts a write-out of nothing, which a file system that gave up refuses.
    for (const unsigned flags :
         {unsigned{SYNC_FILE_RANGE_WAIT_BEFORE}, unsigned{SYNC_FILE_RANGE_WRITE}}) {
        if (const int code = error_of(fd_.get(), flags); code != 0)
            return errno_text(code);
    }
    struct stat info = {};
    struct statvfs system = {};
    if (::fstat(fd_.get(), &info) != 0 || ::fstatvfs(fd_.get(), &system) != 0)
        return errno_text(errno);
    return trouble_of(paths_, info, system, fd_.get(), path_);
}

std::string WriteErrors::flush() const
{
    if (!fd_)
        return fmt::format("open '{}': {}", path_.string(), errno_text(refusal_));
    int code = 0;
    do
        code = ::fsync(fd_.get()) == 0 ? 0 : errno;
    while (code == EINTR);
    return code == 0 ? look() : errno_text(code);
}

} // namespace zraid
