#pragma once

#include "util/error.h"

#include <cerrno>
#include <csignal>

#include <sys/resource.h>

namespace zraid::test {

/// While it lives, no file can grow beyond a size: write(2) and ftruncate(2) fail with EFBIG, as
/// they do where a file system is at its end.
class FileSizeLimit
{
public:
    explicit FileSizeLimit(rlim_t bytes)
    {
        old_action_ = std::signal(SIGXFSZ, SIG_IGN);
        if (::getrlimit(RLIMIT_FSIZE, &old_) != 0)
            throw SystemError(errno, "getrlimit");
        const rlimit limit{bytes, old_.rlim_max};
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0)
            throw SystemError(errno, "setrlimit");
    }
    ~FileSizeLimit()
    {
        ::setrlimit(RLIMIT_FSIZE, &old_);
        std::signal(SIGXFSZ, old_action_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;
    FileSizeLimit(FileSizeLimit&&) = delete;
    FileSizeLimit& operator=(FileSizeLimit&&) = delete;

private:
    rlimit old_{};
    void (*old_action_)(int) = SIG_DFL;
};

} // namespace zraid::test
