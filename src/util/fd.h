#pragma once

#include <string>
#include <utility>

#include <sys/types.h>

namespace zraid {

/// Owner of a file descriptor. The destructor closes it and ignores errors: whoever needs to know
/// that data arrived calls fsync on it before.
class UniqueFd
{
public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept;
    UniqueFd(const UniqueFd&) = delete;
    UniqueFd& operator=(const UniqueFd&) = delete;
    ~UniqueFd() { reset(); }

    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    void reset() noexcept;

private:
    int fd_ = -1;
};

/// open(2) with O_CLOEXEC added.
/// @param mode permission bits, used with O_CREAT
/// @throws SystemError naming the path
UniqueFd open_file(const std::string& path, int flags, mode_t mode = 0);

/// Like open_file, but gives an empty UniqueFd where the file (or device) does not exist.
UniqueFd open_if_there(const std::string& path, int flags);

/// Opens /dev/null for each of stdin, stdout and stderr that the caller left closed. The first
/// thing a program does: else the next file it opens gets such a number, and a message meant for
/// people would be written into a lock file or an image.
void open_standard_fds();

} // namespace zraid
