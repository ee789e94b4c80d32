#include "devices/file_like.h"

#include "util/error.h"
#include "util/fd.h"

#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace zraid {

namespace {

/// What libvirt notes on the image of a domain that runs: owners and labels to give back later.
constexpr const char* kNotes = "trusted.libvirt.security";

bool is_not_kept(int code)
{
    return code == ENOTSUP || code == ENODATA;
}

std::vector<std::string> attributes_of(int fd, const std::string& path)
{
    std::vector<char> names(64U << 10U); // the kernel's limit
    const ssize_t n = ::flistxattr(fd, names.data(), names.size());
    if (n < 0 && !is_not_kept(errno))
        throw SystemError(errno, fmt::format("list the extended attributes of '{}'", path));
    std::vector<std::string> list;
    for (ssize_t at = 0; at < n; at += static_cast<ssize_t>(list.back().size()) + 1)
        list.emplace_back(&names.at(static_cast<std::size_t>(at)));
    return list;
}

void copy_attribute(int from, int to, const std::string& name, const std::string& path)
{
    std::vector<char> value(64U << 10U);
    const ssize_t n = ::fgetxattr(from, name.c_str(), value.data(), value.size());
    if ((n < 0 ||
         ::fsetxattr(to, name.c_str(), value.data(), static_cast<std::size_t>(n), 0) != 0) &&
        !is_not_kept(errno))
        throw SystemError(errno, fmt::format("give '{}' the attribute {}", path, name));
}

} // namespace

void make_file_like(const std::string& path, const std::string& other)
{
    const UniqueFd from = open_file(other, O_RDONLY);
    const UniqueFd to = open_file(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    try {
        struct stat info = {};
        if (::fstat(from.get(), &info) != 0)
            throw SystemError(errno, "stat '" + other + "'");
        if (::fchown(to.get(), info.st_uid, info.st_gid) != 0 ||
            ::fchmod(to.get(), info.st_mode & 07777U) != 0)
            throw SystemError(errno, fmt::format("give '{}' the owner of '{}'", path, other));
        for (const std::string& name : attributes_of(from.get(), other)) {
            if (!name.starts_with(kNotes))
                copy_attribute(from.get(), to.get(), name, path);
        }
    } catch (...) {
        ::unlink(path.c_str());
        throw;
    }
}

} // namespace zraid
