#include "devices/device_use.h"

#include "devices/block_device.h"
#include "devices/loop.h"
#include "devices/openers.h"
#include "util/error.h"
#include "util/files.h"
#include "util/wait.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace zraid {

namespace {

/// Time for those who only look, such as udev, to be through with it.
constexpr Milliseconds kDeviceCloses{1000};

/// The device and its partitions.
std::vector<std::string> with_partitions(const Paths& paths, const std::string& name)
{
    std::vector<std::string> names{name};
    for (const std::string& entry : entries_of(paths.block(name))) {
        if (std::filesystem::exists(paths.block(name) / entry / "partition"))
            names.push_back(entry);
    }
    return names;
}

dev_t node_number(const Paths& paths, const std::string& name)
{
    struct stat info = {};
    return ::stat(paths.device(name).c_str(), &info) == 0 && S_ISBLK(info.st_mode) ? info.st_rdev
                                                                                   : dev_t{0};
}

/// A loop device keeps what it stands on open without being a process.
std::optional<DeviceUse> loop_on(const Paths& paths, const std::vector<std::string>& names)
{
    for (const Loop& loop : list_loops(paths)) {
        for (const std::string& name : names) {
            if (loop.backing_file == paths.device(name))
                return DeviceUse{
                    fmt::format("'{}' is attached to /dev/{}", loop.backing_file, loop.name),
                    fmt::format("see what uses /dev/{0}, then losetup -d /dev/{0}", loop.name)};
        }
    }
    return std::nullopt;
}

std::optional<DeviceUse> process_on(const Paths& paths, const std::vector<std::string>& names)
{
    for (const std::string& name : names) {
        const dev_t device = device_number(paths, name);
        const std::string who = device == 0 ? "" : openers_of_device(paths, device);
        if (!who.empty())
            return DeviceUse{fmt::format("'{}' is in use by {}", paths.device(name).string(), who),
                             "end these programs, then try again"};
    }
    return std::nullopt;
}

/// A container has mounts of its own.
std::optional<DeviceUse> mount_elsewhere(const Paths& paths, const std::vector<std::string>& names)
{
    for (const std::string& process : entries_of(paths.proc)) {
        if (process.find_first_not_of("0123456789") != std::string::npos)
            continue;
        std::optional<std::string> mounts;
        try {
            mounts = read_if_there(paths.proc / process / "mountinfo");
        } catch (const SystemError&) { // it ended
        }
        for (const std::string& name : names) {
            const dev_t device = device_number(paths, name);
            const std::string number =
                fmt::format(" {}:{} ", gnu_dev_major(device), gnu_dev_minor(device));
            if (mounts && device != 0 && mounts->find(number) != std::string::npos)
                return DeviceUse{
                    fmt::format("/dev/{} is mounted where process {} ({}) lives", name, process,
                                read_attribute(paths.proc / process / "comm").value_or("?")),
                    fmt::format("nsenter --mount --target {} umount it, or end what runs there",
                                process)};
        }
    }
    return std::nullopt;
}

std::optional<DeviceUse> find_use(const Paths& paths, const std::string& name)
{
    const auto names = with_partitions(paths, name);
    if (auto use = use_by_name(paths, name))
        return use;
    if (auto use = loop_on(paths, names))
        return use;
    if (auto use = process_on(paths, names))
        return use;
    auto claimed = use_of_device(paths, paths.device(name));
    if (!claimed)
        return std::nullopt;
    const auto elsewhere = mount_elsewhere(paths, names);
    return elsewhere ? elsewhere : claimed;
}

} // namespace

void refuse_use_of_device(const Paths& paths, const std::string& name)
{
    if (node_number(paths, name) == 0)
        return;
    std::optional<DeviceUse> use;
    if (!wait_until(kDeviceCloses, [&] { return !(use = find_use(paths, name)); }))
        throw Error(use->what, use->next);
}

} // namespace zraid
