#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

namespace zraid {

/// What a file is, whatever path leads to it.
struct FileId
{
    dev_t device = 0;
    ino_t inode = 0;

    bool operator==(const FileId&) const = default;
};

/// @return nothing if there is no such file
/// @throws SystemError
std::optional<FileId> file_id(const std::string& path);

} // namespace zraid
