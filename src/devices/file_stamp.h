#pragma once

#include <string>

namespace zraid {

/// A text that becomes another one whenever a file is written to, renamed, or has its owner, mode
/// or length changed, and when another file takes its name: inode, length, times of the last
/// changes (stat(2)).
std::string file_stamp(const std::string& path);

/// The same for what is in it alone: inode, length, time of the last write. It outlives a rename
/// and a change of owner.
std::string content_stamp(const std::string& path);

/// Are these stamps of the same file, whatever is in it?
bool same_file(const std::string& stamp, const std::string& other);

} // namespace zraid
