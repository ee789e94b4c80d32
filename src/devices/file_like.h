#pragma once

#include <string>

namespace zraid {

/// Makes an empty file with the owner, mode and extended attributes (SELinux's label, ACLs) of
/// another one. What its file system does not keep is left out. It must not exist.
void make_file_like(const std::string& path, const std::string& other);

} // namespace zraid
