#pragma once

#include "util/paths.h"

#include <functional>
#include <string>

namespace zraid {

/// Renames a file within its folder, durably.
/// @throws Error if there is one of the new name
void rename_durably(const std::string& from, const std::string& to);

/// Has a file that goes by one of two names at a time its old one?
/// @throws Error if both names are there, or none
bool is_file_shown(const std::string& image, const std::string& hidden);

/// Gives it its old name, if it has the other one.
void show_file(const std::string& image, const std::string& hidden);

/// @throws Error if anybody has the file open
void refuse_open_file(const Paths& paths, const std::string& path);

/// Takes a file's name away, while nobody has it open: a lease of the kernel says so, and on a
/// network file system, which has none, a look at the processes of this host. If anybody opens it
/// in this moment the name comes back.
/// @param check called with its descriptor before, while nobody can open it; may refuse
/// @throws Error if anybody has it open
void hide_file(const Paths& paths, const std::string& from, const std::string& to,
               const std::function<void(int)>& check);

} // namespace zraid
