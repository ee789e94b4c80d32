#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace zraid {

/// What qemu-img(1) is to read: a file, or a part of a raw one.
struct ImageSource
{
    std::string path;
    std::string format = "raw"; ///< "raw" or "qcow2"; never guessed from what a guest wrote
    std::uint64_t offset = 0;   ///< bytes; of a raw one only
    std::uint64_t size = 0;     ///< bytes, whole sectors of 512; 0: all of the file
};

/// @return bytes of the file that data takes once it is copied, holes and zeros left out; a little
/// more rather than less
std::uint64_t bytes_to_copy(const ImageSource& source);

/// Share that a program's progress output tells last, "(12.34/100%)".
std::optional<double> last_percent(const std::string& text);

struct ImageTarget
{
    std::string path;
    std::string format = "raw";
    bool direct = false; ///< past the page cache: of a block device
};

/// Copies the guest's disk from one to the other. The target has to be there, large enough, and
/// read as zeros; parts of the source that are zeros are not written. Returns when the data are on
/// their way; flushing the target is the caller's.
///
/// The copying ends with this process, also if that is killed; see FileLock for `lock_fd`.
/// @param size bytes of the disk: bounds the time without progress
/// @param show called with the share that is done, 0 to 100
/// @param lock_fd kept open in the program; -1: none
void copy_image(const ImageSource& source, const ImageTarget& target, std::uint64_t size,
                const std::function<void(double)>& show, int lock_fd);

} // namespace zraid
