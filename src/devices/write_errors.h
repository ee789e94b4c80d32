#pragma once

#include "devices/file_id.h"
#include "util/fd.h"

#include <filesystem>
#include <optional>

namespace zraid {

/// Notices that data of a file, which the page cache had taken, did not reach its device. The
/// kernel tells each open file of such an error once (lib/errseq.c); a loop device hears of it in a
/// flush, and md passes that on for a guest without looking at the result. So it takes an open file
/// of our own, from before the error.
class WriteErrors
{
public:
    /// A file that is not there, or cannot be opened, has no errors.
    explicit WriteErrors(const std::filesystem::path& file);

    /// Whether there was an error since the object was made, or since this was asked last. Writes
    /// nothing and waits for nothing.
    bool happened() const;
    /// The file that is looked at; it may have another name by now, or none.
    std::optional<FileId> file() const { return file_; }

private:
    UniqueFd fd_;
    std::optional<FileId> file_;
};

} // namespace zraid
