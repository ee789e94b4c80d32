#pragma once

#include "devices/file_id.h"
#include "util/fd.h"
#include "util/paths.h"

#include <filesystem>
#include <optional>
#include <string>

namespace zraid {

/// Whether what an image lies on still takes data, as far as it shows without being written to: it
/// cannot be asked (a shut-down XFS answers EIO, a server that forgot the file ESTALE), it is
/// read-only, or its device is gone. An ext4 that gave up after an error takes overwrites into the
/// page cache, and records no error for them: this is all that tells.
/// @return in words; empty: all is well, or there is nothing of that name
std::string image_trouble(const Paths& paths, const std::string& image);

/// Whether the file system of an image in use refuses to begin writing what the page cache has of
/// it, as an ext4 whose journal gave up does before it becomes read-only. Writes nothing, and takes
/// no error from those who wait for it (sync_file_range(2): only waiting does).
/// @return in words; empty: it takes data, or cannot be asked
std::string refused_write_out(const std::string& image);

/// Notices that data of a file, which the page cache had taken, did not reach its device. The
/// kernel tells each open file of such an error once (lib/errseq.c); a loop device hears of it in a
/// flush, and md passes that on for a guest without looking at the result. So it takes an open file
/// of our own, from before the error.
class WriteErrors
{
public:
    /// A file that is not there has no errors; one that is there and cannot be opened is in
    /// trouble.
    WriteErrors(Paths paths, const std::filesystem::path& file);

    /// What went wrong since the object was made, or since this was asked last, or is wrong now;
    /// empty: nothing. Any error counts, whatever its number: file systems record what the device
    /// said. Writes nothing and waits for nothing.
    std::string look() const;
    /// The same behind a write-out of all that the page cache has (fsync). Empty is the proof that
    /// it arrived.
    std::string flush() const;
    /// The file that is looked at; it may have another name by now, or none.
    std::optional<FileId> file() const { return file_; }

private:
    Paths paths_;
    std::filesystem::path path_;
    UniqueFd fd_;
    int refusal_ = 0; ///< errno of the open
    std::optional<FileId> file_;
};

} // namespace zraid
