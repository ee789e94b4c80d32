#include "devices/device_names.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <regex>

#include <fmt/core.h>

namespace zraid {

namespace fs = std::filesystem;

namespace {

/// Below /dev: links that follow the content of a device, or number it anew at each boot.
bool is_fickle(const fs::path& folder, const fs::path& dev)
{
    const fs::path below = folder.lexically_relative(dev);
    return below == "block" || below == "char" || below == "fd" || below == "zraid" ||
           below == "disk/by-uuid" || below == "disk/by-label" || below == "disk/by-diskseq" ||
           below == "disk/by-loop-inode" || below == "disk/by-loop-ref";
}

bool is_digit(char c)
{
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

} // namespace

bool is_unstable_name(const Paths& paths, const std::string& path)
{
    static const std::regex unstable("(sd|hd|vd|xvd|ubd)[a-z]+[0-9]*|nvme[0-9]+(c[0-9]+)?n[0-9]+(p["
                                     "0-9]+)?|mmcblk[0-9]+(p[0-9]+)?"
                                     "|dm-[0-9]+|loop[0-9]+(p[0-9]+)?|md[0-9]+(p[0-9]+)?|zram[0-9]+"
                                     "|ram[0-9]+|pmem[0-9]+(p[0-9]+)?"
                                     "|sr[0-9]+|block/[0-9]+:[0-9]+|disk/by-diskseq/.*");
    const fs::path& dev = paths.dev;
    fs::path name = fs::path(path).lexically_normal().lexically_relative(dev);
    if (name.empty() || *name.begin() == "..") {
        std::error_code code;
        name = fs::canonical(path, code).lexically_relative(dev);
        if (code)
            return false;
    }
    return std::regex_match(name.string(), unstable);
}

std::vector<std::string> stable_names(const Paths& paths, const std::string& path)
{
    constexpr int kMaxDepth = 3; // disk/by-id/NAME, rbd/POOL/IMAGE
    std::vector<std::string> names;
    std::error_code code;
    const fs::path device = fs::canonical(path, code);
    if (code)
        return names;
    const fs::path& dev = paths.dev;
    fs::recursive_directory_iterator entry(dev, fs::directory_options::skip_permission_denied,
                                           code);
    for (const fs::recursive_directory_iterator end; !code && entry != end; entry.increment(code)) {
        std::error_code ignored;
        if (entry->is_symlink(ignored)) {
            if (fs::canonical(entry->path(), ignored) == device && !ignored)
                names.push_back(entry->path());
        } else if (entry.depth() >= kMaxDepth || is_fickle(entry->path(), dev)) {
            entry.disable_recursion_pending();
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string unit_of_path(const std::string& path, const std::string& kind)
{
    std::string name;
    bool slash = false;
    for (const char c : path) {
        if (c == '/') {
            slash = !name.empty();
            continue;
        }
        if (slash)
            name += '-';
        const bool first = name.empty();
        slash = false;
        const bool plain = std::isalpha(static_cast<unsigned char>(c)) != 0 || is_digit(c) ||
                           c == ':' || c == '_' || (c == '.' && !first);
        name += plain ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    return name + '.' + kind;
}

} // namespace zraid
