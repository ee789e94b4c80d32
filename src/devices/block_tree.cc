#include "devices/block_tree.h"

#include "util/error.h"
#include "util/files.h"

#include <cctype>
#include <cerrno>
#include <charconv>
#include <sstream>

#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace zraid {

namespace fs = std::filesystem;

namespace {

constexpr int kMaxDepth = 16;

bool is_there(const fs::path& path)
{
    std::error_code ignored;
    return fs::exists(path, ignored);
}

/// Walks from a block device's sysfs folder down to what it is made of. A layer that goes away
/// meanwhile is left out.
void collect(const fs::path& folder, std::set<int>& arrays, int depth)
{
    if (depth > kMaxDepth)
        throw SystemError(ELOOP, "'" + folder.string() + "': layers of block devices");
    if (is_there(folder / "partition")) {
        collect(folder.parent_path(), arrays, depth + 1);
        return;
    }
    const std::string name = folder.filename();
    if (is_there(folder / "md") && name.starts_with("md")) {
        int number = -1;
        const char* end = name.data() + name.size();
        if (const auto r = std::from_chars(name.data() + 2, end, number); r.ptr == end)
            arrays.insert(number);
    }
    for (const std::string& slave : entries_of(folder / "slaves")) {
        std::error_code code;
        const fs::path below = fs::canonical(folder / "slaves" / slave, code);
        if (!code)
            collect(below, arrays, depth + 1);
    }
}

void collect_device(const Paths& paths, dev_t device, std::set<int>& arrays)
{
    const fs::path link = paths.sys / "dev/block" /
                          fmt::format("{}:{}", gnu_dev_major(device), gnu_dev_minor(device));
    std::error_code code;
    const fs::path folder = fs::canonical(link, code);
    if (!code)
        collect(folder, arrays, 0);
}

/// The device that a file system without a device number of its own (btrfs, overlay) is mounted
/// from; empty if it has none.
std::string mount_source(const Paths& paths, dev_t device)
{
    // Fields of proc(5), mountinfo: id parent major:minor root mountpoint options… - type source …
    std::istringstream lines(read_file(paths.proc / "self/mountinfo"));
    const std::string wanted = fmt::format("{}:{}", gnu_dev_major(device), gnu_dev_minor(device));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        std::string id;
        std::string parent;
        std::string number;
        fields >> id >> parent >> number;
        const std::size_t dash = line.find(" - ");
        if (number != wanted || dash == std::string::npos)
            continue;
        std::istringstream rest(line.substr(dash + 3));
        std::string type;
        std::string source;
        rest >> type >> source;
        return source.starts_with('/') ? source : "";
    }
    return {};
}

} // namespace

std::set<int> arrays_below(const Paths& paths, const std::string& path)
{
    std::set<int> arrays;
    struct stat info = {};
    if (::stat(path.c_str(), &info) != 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return arrays;
        throw SystemError(errno, "stat '" + path + "'");
    }
    if (S_ISBLK(info.st_mode)) {
        collect_device(paths, info.st_rdev, arrays);
    } else if (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode)) {
        if (gnu_dev_major(info.st_dev) != 0) {
            collect_device(paths, info.st_dev, arrays);
        } else if (const std::string source = mount_source(paths, info.st_dev); !source.empty()) {
            struct stat below = {};
            if (::stat(source.c_str(), &below) == 0 && S_ISBLK(below.st_mode))
                collect_device(paths, below.st_rdev, arrays);
        }
    }
    return arrays;
}

int md_number_in_path(const Paths& paths, const std::string& path)
{
    const std::string prefix = paths.device("md");
    if (!path.starts_with(prefix))
        return -1;
    int number = -1;
    const char* end = path.data() + path.size();
    const auto [stop, code] = std::from_chars(path.data() + prefix.size(), end, number);
    if (code != std::errc() || number < 0)
        return -1;
    if (stop == end)
        return number;
    // What is left must be a partition: p and digits.
    std::string_view rest(stop, static_cast<std::size_t>(end - stop));
    if (rest.size() < 2 || rest.front() != 'p')
        return -1;
    for (const char c : rest.substr(1)) {
        if (std::isdigit(static_cast<unsigned char>(c)) == 0)
            return -1;
    }
    return number;
}

} // namespace zraid
