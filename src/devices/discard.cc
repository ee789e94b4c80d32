#include "devices/discard.h"

#include "devices/image.h"
#include "util/fd.h"
#include "util/files.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <unistd.h>

namespace zraid {

namespace {

constexpr const char* kMost = "queue/discard_max_bytes";

constexpr off_t kHole = 4096;

/// The kernel offers discards of a loop device on every file system that has the call, NFS below
/// 4.2 among them; only the call itself tells.
bool makes_holes(const std::string& file)
{
    const UniqueFd fd = open_file(file, O_RDWR);
    // Behind the end: nothing is there to be taken away.
    const off_t end = (::lseek(fd.get(), 0, SEEK_END) + kHole - 1) / kHole * kHole;
    return ::fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, end, kHole) == 0;
}

} // namespace

bool can_discard(const Paths& paths, const std::string& leg, const std::string& image)
{
    const auto most = read_attribute(paths.block(leg) / kMost);
    if (!most || *most == "0")
        return false;
    return image_kind(image) != ImageKind::file || makes_holes(image);
}

void forbid_discard(const Paths& paths, const std::string& name)
{
    if (read_attribute(paths.block(name) / kMost).value_or("0") != "0")
        write_attribute(paths.block(name) / kMost, "0");
}

} // namespace zraid
