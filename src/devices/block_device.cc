#include "devices/block_device.h"

#include "devices/mounts.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/files.h"
#include "util/process.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <sstream>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace zraid {

namespace fs = std::filesystem;

namespace {

std::optional<fs::path> sysfs_folder(const Paths& paths, const std::string& path)
{
    struct stat info = {};
    if (::stat(path.c_str(), &info) != 0 || !S_ISBLK(info.st_mode))
        return std::nullopt;
    std::error_code code;
    fs::path folder = fs::canonical(
        paths.sys / "dev/block" /
            fmt::format("{}:{}", gnu_dev_major(info.st_rdev), gnu_dev_minor(info.st_rdev)),
        code);
    return code ? std::nullopt : std::optional(folder);
}

/// Where it is mounted; empty: nowhere.
/// @param number "MAJOR:MINOR"
std::string mount_point(const Paths& paths, const std::string& number)
{
    const auto mounts = list_mounts(paths);
    const auto found = std::find_if(mounts.begin(), mounts.end(),
                                    [&](const Mount& mount) { return mount.device == number; });
    return found == mounts.end() ? "" : found->point;
}

bool is_swap(const Paths& paths, const std::string& name)
{
    std::istringstream lines(read_if_there(paths.proc / "swaps").value_or(""));
    for (std::string line; std::getline(lines, line);) {
        if (line.substr(0, line.find_first_of(" \t")) == paths.device(name))
            return true;
    }
    return false;
}

std::optional<DeviceUse> use_of_one(const Paths& paths, const fs::path& folder)
{
    const std::string name = folder.filename();
    if (const auto number = read_attribute(folder / "dev")) {
        if (const std::string point = mount_point(paths, *number); !point.empty())
            return DeviceUse{fmt::format("/dev/{} is mounted at '{}'", name, point),
                             fmt::format("umount '{}', if nobody needs it", point)};
    }
    if (is_swap(paths, name))
        return DeviceUse{fmt::format("/dev/{} is swap", name), "swapoff it, if nobody needs it"};
    const auto holders = entries_of(folder / "holders");
    if (!holders.empty())
        return DeviceUse{
            fmt::format("/dev/{} is part of /dev/{}", name, holders.front()),
            fmt::format("see lsblk; stop /dev/{} first, if nobody needs it", holders.front())};
    return std::nullopt;
}

std::optional<DeviceUse> use_of_folder(const Paths& paths, const fs::path& folder)
{
    auto use = use_of_one(paths, folder);
    for (const std::string& entry : entries_of(folder)) {
        if (!use && fs::exists(folder / entry / "partition"))
            use = use_of_one(paths, folder / entry);
    }
    return use;
}

} // namespace

std::optional<std::string> device_name(const Paths& paths, const std::string& path)
{
    const auto folder = sysfs_folder(paths, path);
    return folder ? std::optional(folder->filename().string()) : std::nullopt;
}

std::uint64_t device_size(const Paths& paths, const std::string& path)
{
    const auto folder = sysfs_folder(paths, path);
    const auto sectors = folder ? read_attribute(*folder / "size") : std::nullopt;
    return sectors ? std::stoull(*sectors) * 512 : 0;
}

std::optional<DeviceUse> use_by_name(const Paths& paths, const std::string& name)
{
    return use_of_folder(paths, paths.block(name));
}

std::optional<DeviceUse> use_of_device(const Paths& paths, const std::string& path)
{
    const auto folder = sysfs_folder(paths, path);
    if (!folder)
        throw Error(fmt::format("the kernel knows no device '{}'", path));
    if (const auto use = use_of_folder(paths, *folder))
        return use;
    // Whoever mounts, swaps to, or stacks on a device claims it, and the whole disk with a
    // partition.
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC)); // NOLINT(*-vararg)
    if (fd)
        return std::nullopt;
    if (errno == EBUSY)
        return DeviceUse{fmt::format("'{}' is in use", path),
                         "see lsblk and fuser -v what uses it, and end that"};
    throw SystemError(errno, fmt::format("open '{}'", path));
}

std::string what_is_on(const std::string& path)
{
    const CommandResult found =
        run({{"wipefs", "--no-act", "--noheadings", "--output", "TYPE", path}});
    std::istringstream words(found.out);
    std::vector<std::string> types;
    for (std::string word; words >> word;) {
        if (std::find(types.begin(), types.end(), word) == types.end())
            types.push_back(word);
    }
    return fmt::format("{}", fmt::join(types, ", "));
}

} // namespace zraid
