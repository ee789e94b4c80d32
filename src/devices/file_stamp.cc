#include "devices/file_stamp.h"

#include "util/error.h"

#include <cerrno>

#include <fmt/core.h>
#include <sys/stat.h>

namespace zraid {

namespace {

struct stat status_of(const std::string& path)
{
    struct stat info = {};
    if (::stat(path.c_str(), &info) != 0)
        throw SystemError(errno, "stat '" + path + "'");
    return info;
}

std::string content_stamp_of(const struct stat& info)
{
    return fmt::format("{} {} {}.{:09}", info.st_ino, info.st_size, info.st_mtim.tv_sec,
                       info.st_mtim.tv_nsec);
}

} // namespace

std::string content_stamp(const std::string& path)
{
    return content_stamp_of(status_of(path));
}

std::string file_stamp(const std::string& path)
{
    const struct stat info = status_of(path);
    return fmt::format("{} {}.{:09}", content_stamp_of(info), info.st_ctim.tv_sec,
                       info.st_ctim.tv_nsec);
}

bool same_file(const std::string& stamp, const std::string& other)
{
    return !stamp.empty() && stamp.substr(0, stamp.find(' ')) == other.substr(0, other.find(' '));
}

} // namespace zraid
