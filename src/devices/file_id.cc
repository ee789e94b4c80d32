#include "devices/file_id.h"

#include "util/error.h"

#include <cerrno>

#include <sys/stat.h>

namespace zraid {

std::optional<FileId> file_id(const std::string& path)
{
    struct stat info = {};
    if (::stat(path.c_str(), &info) == 0)
        return FileId{info.st_dev, info.st_ino};
    if (errno == ENOENT || errno == ENOTDIR)
        return std::nullopt;
    throw SystemError(errno, "stat '" + path + "'");
}

} // namespace zraid
