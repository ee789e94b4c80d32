#include "devices/write_errors.h"

#include <cerrno>

#include <fcntl.h>

namespace zraid {

namespace {

/// Behind the end of any file: no page there is waited for.
constexpr off_t kBehindTheEnd = off_t{1} << 60U;

} // namespace

WriteErrors::WriteErrors(const std::filesystem::path& file)
    : fd_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)), file_(file_id(file)) // NOLINT(*-vararg)
{
}

bool WriteErrors::happened() const
{
    if (!fd_ || ::sync_file_range(fd_.get(), kBehindTheEnd, 1, SYNC_FILE_RANGE_WAIT_BEFORE) == 0)
        return false;
    // Anything else says that this file cannot be asked.
    return errno == EIO || errno == ENOSPC || errno == EDQUOT;
}

} // namespace zraid
