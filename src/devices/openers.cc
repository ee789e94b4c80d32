#include "devices/openers.h"

#include "devices/file_id.h"
#include "util/files.h"

#include <algorithm>
#include <functional>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace zraid {

namespace {

namespace fs = std::filesystem;

using Matches = std::function<bool(const struct statx&)>;

/// What a link in /proc/PID leads to, without asking a server that may be dead.
bool leads_to(const fs::path& link, const Matches& matches)
{
    struct statx info = {};
    return ::statx(AT_FDCWD, link.c_str(), AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &info) ==
               0 &&
           matches(info);
}

bool has_open(const fs::path& process, const Matches& matches)
{
    if (leads_to(process / "cwd", matches) || leads_to(process / "root", matches))
        return true;
    std::error_code ignored;
    for (fs::directory_iterator at(process / "fd", ignored), end; !ignored && at != end;
         at.increment(ignored)) {
        if (leads_to(at->path(), matches))
            return true;
    }
    return false;
}

std::string openers(const Paths& paths, const Matches& matches, pid_t except = 0)
{
    std::string names;
    for (const std::string& entry : entries_of(paths.proc)) {
        if (entry.find_first_not_of("0123456789") != std::string::npos ||
            entry == std::to_string(except) || !has_open(paths.proc / entry, matches))
            continue;
        const std::string name = read_attribute(paths.proc / entry / "comm").value_or("?");
        names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", name, entry);
    }
    return names;
}

} // namespace

std::string openers_of_device(const Paths& paths, dev_t device)
{
    const unsigned major = gnu_dev_major(device);
    const unsigned minor = gnu_dev_minor(device);
    return openers(paths, [=](const struct statx& info) {
        return (info.stx_dev_major == major && info.stx_dev_minor == minor) ||
               (S_ISBLK(info.stx_mode) && info.stx_rdev_major == major &&
                info.stx_rdev_minor == minor);
    });
}

std::string openers_of_file(const Paths& paths, const std::string& path, pid_t except)
{
    struct stat file = {};
    if (::stat(path.c_str(), &file) != 0)
        return {};
    const auto matches = [&](const struct statx& info) {
        return info.stx_ino == file.st_ino && info.stx_dev_major == gnu_dev_major(file.st_dev) &&
               info.stx_dev_minor == gnu_dev_minor(file.st_dev);
    };
    return openers(paths, matches, except);
}

dev_t device_number(const Paths& paths, const std::string& device)
{
    // A partition has its folder in that of its disk.
    auto text = read_attribute(paths.block(device) / "dev");
    if (!text)
        text = read_attribute(paths.sys / "class/block" / device / "dev");
    const std::size_t colon = text ? text->find(':') : std::string::npos;
    if (colon == std::string::npos)
        return 0;
    return gnu_dev_makedev(static_cast<unsigned>(std::stoul(text->substr(0, colon))),
                           static_cast<unsigned>(std::stoul(text->substr(colon + 1))));
}

} // namespace zraid
