#include "devices/loop.h"

#include "devices/modules.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/files.h"
#include "util/log.h"
#include "util/wait.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

namespace zraid {

namespace {

std::uint64_t number_in(const std::filesystem::path& attribute)
{
    return std::stoull(read_attribute(attribute).value_or("0"));
}

std::optional<Loop> read_loop(const Paths& paths, const std::string& name)
{
    const auto backing = read_attribute(paths.block(name) / "loop/backing_file");
    if (!backing)
        return std::nullopt;
    const UniqueFd fd = open_if_there(paths.device(name), O_RDONLY);
    if (!fd)
        return std::nullopt;
    Loop loop;
    loop.name = name;
    loop.backing_file = *backing;
    loop_info64 info{};
    if (::ioctl(fd.get(), LOOP_GET_STATUS64, &info) == 0) { // NOLINT(*-vararg)
        loop.file = {info.lo_device, info.lo_inode};
        loop.offset = info.lo_offset;
        loop.size_limit = info.lo_sizelimit;
        loop.direct_io = (info.lo_flags & LO_FLAGS_DIRECT_IO) != 0;
        loop.read_only = (info.lo_flags & LO_FLAGS_READ_ONLY) != 0;
    } else if (errno == ENXIO) { // detached meanwhile
        return std::nullopt;
    } else { // the kernel asks the file, whose file system may have given up; sysfs does not
        log().debug("read the status of '{}': {}", name, errno_text(errno));
        const auto folder = paths.block(name);
        loop.offset = number_in(folder / "loop/offset");
        loop.size_limit = number_in(folder / "loop/sizelimit");
        loop.direct_io = read_attribute(folder / "loop/dio") == "1";
        loop.read_only = read_attribute(folder / "ro") == "1";
    }
    if (const auto size = read_attribute(paths.block(name) / "queue/logical_block_size"))
        loop.sector_size = static_cast<unsigned>(std::stoul(*size));
    if (const auto sectors = read_attribute(paths.block(name) / "size"))
        loop.size = std::stoull(*sectors) * 512;
    return loop;
}

/// The kernel takes buffered I/O without a word where it cannot do direct I/O.
void warn_if_buffered(const Paths& paths, const std::string& name, const std::string& image,
                      bool direct_io)
{
    if (direct_io && read_attribute(paths.block(name) / "loop/dio") == "0")
        log().warn("'{}': its file system has no direct I/O that a loop device can use: writes "
                   "are cached by the host",
                   image);
}

} // namespace

bool Loop::fits_a_leg() const
{
    return offset == 0 && size_limit == 0 && !read_only && sector_size == kSectorSize;
}

std::vector<Loop> list_loops(const Paths& paths)
{
    std::vector<Loop> loops;
    for (const std::string& name : entries_of(paths.sys / "block")) {
        if (!name.starts_with("loop"))
            continue;
        if (auto loop = read_loop(paths, name))
            loops.push_back(std::move(*loop));
    }
    return loops;
}

std::vector<Loop> loops_of(const Paths& paths, FileId file)
{
    std::vector<Loop> loops = list_loops(paths);
    std::erase_if(loops, [&](const Loop& loop) { return loop.file != file; });
    return loops;
}

std::string attach_loop(const Paths& paths, const std::string& image, bool direct_io)
{
    load_module_unless("loop", paths.device("loop-control"));
    const UniqueFd file = open_file(image, O_RDWR);
    const UniqueFd control = open_file(paths.device("loop-control"), O_RDWR);

    // Somebody else may take the free one between the two calls; then the next one is asked for.
    for (int tries = 0; tries < 64; ++tries) {
        const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE); // NOLINT(*-vararg)
        if (number < 0)
            throw SystemError(errno, "find a free loop device");
        const std::string name = fmt::format("loop{}", number);
        UniqueFd device;
        if (!wait_until(Milliseconds{5000}, [&] {
                device = open_if_there(paths.device(name), O_RDWR);
                return static_cast<bool>(device);
            }))
            throw Error(fmt::format("open '{}': the device did not appear", name));

        loop_config config{};
        config.fd = static_cast<__u32>(file.get());
        config.block_size = kSectorSize;
        config.info.lo_flags = direct_io ? LO_FLAGS_DIRECT_IO : 0;
        image.copy(reinterpret_cast<char*>(config.info.lo_file_name), LO_NAME_SIZE - 1);
        if (::ioctl(device.get(), LOOP_CONFIGURE, &config) == 0) { // NOLINT(*-vararg)
            log().debug("attached '{}' to {}", image, name);
            warn_if_buffered(paths, name, image, direct_io);
            return name;
        }
        if (errno != EBUSY)
            throw SystemError(errno, fmt::format("attach '{}' to '{}'", image, name));
    }
    throw Error(fmt::format("attach '{}': no loop device stayed free", image));
}

void update_loop_size(const Paths& paths, const std::string& name)
{
    const UniqueFd device = open_file(paths.device(name), O_RDWR);
    if (::ioctl(device.get(), LOOP_SET_CAPACITY) != 0) // NOLINT(*-vararg)
        throw SystemError(errno, fmt::format("give '{}' the size of its file", name));
}

void detach_loop(const Paths& paths, const std::string& name, FileId file)
{
    const auto still_there = [&] {
        const auto loop = read_loop(paths, name);
        return loop && loop->file == file;
    };
    if (!still_there())
        return;
    const bool gone = wait_until(Milliseconds{10'000}, [&] {
        const UniqueFd device = open_if_there(paths.device(name), O_RDONLY);
        if (!device || !still_there())
            return true;
        // With other openers the kernel only sets autoclear and lets go at the last close.
        if (::ioctl(device.get(), LOOP_CLR_FD) != 0 && errno != ENXIO && // NOLINT(*-vararg)
            errno != EBUSY)
            throw SystemError(errno, fmt::format("detach '{}'", name));
        return false;
    });
    if (!gone)
        throw Error(
            fmt::format("detach '{}': something has it open", name),
            fmt::format("find out what holds it (lsblk /dev/{0}, fuser -v /dev/{0})", name));
    log().debug("detached {}", name);
}

} // namespace zraid
