#pragma once

#include "util/wait.h"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace zraid {

/// Reads a whole file.
/// @param limit bytes; a longer file is an error, not a cut text
/// @throws SystemError, also when the file does not exist
std::string read_file(const std::filesystem::path& path, std::size_t limit = 16U << 20U);

/// Reads from an open descriptor to its end.
/// @param name what the messages call it
std::string read_all(int fd, const std::string& name, std::size_t limit);

/// Like read_file, but nothing for a file that does not exist. Any other failure is thrown:
/// "could not read" must not look like "is not there".
std::optional<std::string> read_if_there(const std::filesystem::path& path);

/// Writes all of it to an open descriptor.
/// @param name what the messages call it
void write_all(int fd, const std::string& content, const std::string& name);

/// Content of a one-value sysfs file without its line end; nothing if the attribute is not there
/// (also when its device goes away while it is read: ENODEV).
std::optional<std::string> read_attribute(const std::filesystem::path& path);

/// Writes a value to an existing sysfs file with one write(2), as sysfs demands.
void write_attribute(const std::filesystem::path& path, const std::string& value);

/// The same again and again while the kernel answers EBUSY; for files by which a device is taken
/// away. One whose file is gone, or whose device is, counts as done.
/// @return false: it was busy all the time
/// @throws SystemError for anything else
bool write_when_free(const std::filesystem::path& path, const std::string& value,
                     Milliseconds limit);

/// Replaces a file so that after a crash either the old or the new content is there: temporary
/// file in the same folder, fsync, rename, fsync of the folder.
void save_atomically(const std::filesystem::path& path, const std::string& content, mode_t mode);

/// The same for a file of somebody else's, which has to exist: mode and owner stay as they are, and
/// of a symbolic link that what it leads to is replaced.
void replace_atomically(const std::filesystem::path& path, const std::string& content);

/// fsync(2) of an open file: what was written to it is on its disk.
/// @param name what the messages call it
void sync_file(int fd, const std::string& name);
/// The same of a folder's entries: files that were made, renamed or removed in it.
void sync_folder(const std::filesystem::path& folder);

/// Removes a file and makes the removal durable. @return false if there was none
bool remove_durably(const std::filesystem::path& path);

/// Makes a folder with its parents; each new one gets the mode.
void make_folder(const std::filesystem::path& path, mode_t mode);

/// Names of the entries of a folder, sorted; empty if the folder does not exist.
std::vector<std::string> entries_of(const std::filesystem::path& folder);

} // namespace zraid
