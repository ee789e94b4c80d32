#pragma once

#include "devices/file_id.h"
#include "util/paths.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace zraid {

/// Sector size of all our devices, in bytes. zram's is 4096 whatever we do; a leg with 512 would
/// make the array's size change under an open guest when the RAM leg comes and goes.
inline constexpr unsigned kSectorSize = 4096;

/// An attached loop device, as the kernel tells it.
struct Loop
{
    std::string name;             ///< "loop3"
    FileId file;                  ///< what it stands on; {} if that cannot be asked: it fails
    std::uint64_t offset = 0;     ///< bytes
    std::uint64_t size_limit = 0; ///< bytes, 0: none
    std::uint64_t size = 0;       ///< of the device, bytes: that of the file when it was attached
    bool read_only = false;
    bool direct_io = false;
    unsigned sector_size = 512; ///< logical block size, bytes
    std::string backing_file;   ///< path as the kernel knows it now; may end in " (deleted)"

    /// Can it serve as a disk leg: whole file, writable, 4096-byte sectors?
    bool fits_a_leg() const;
};

/// All attached loop devices.
std::vector<Loop> list_loops(const Paths& paths);

/// The loop devices over a file, whatever name it has now.
std::vector<Loop> loops_of(const Paths& paths, FileId file);

/// Attaches a file: whole, writable, 4096-byte sectors. Buffered, a write returns when it is in the
/// page cache; with direct I/O, when the file's device has it. A flush is an fsync of the file
/// either way (drivers/block/loop.c). Loads the module if needed.
/// @param image path of a regular file
/// @param direct_io asked for; a file system that has no direct I/O gets buffered, with a warning
/// @return name of the loop device, such as "loop3"
/// @throws SystemError
std::string attach_loop(const Paths& paths, const std::string& image, bool direct_io);

/// Gives an attached loop device the size that its file has by now.
/// @throws SystemError
void update_loop_size(const Paths& paths, const std::string& name);

/// Detaches a loop device if it still stands on that file, and waits until the kernel has let go of
/// it: while anything has it open (udev looks at it), the kernel only promises to do it later.
/// @throws Error if it is still in use after a few seconds
void detach_loop(const Paths& paths, const std::string& name, FileId file);

} // namespace zraid
