#include "devices/mounts.h"

#include "util/files.h"

#include <algorithm>
#include <sstream>

namespace zraid {

namespace {

/// The kernel writes blanks and backslashes as \040 and the like.
std::string decoded(const std::string& text)
{
    const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
    std::string result;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool code = text[at] == '\\' && at + 3 < text.size() &&
                          std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                                      text.begin() + static_cast<std::ptrdiff_t>(at) + 4, is_octal);
        if (code) {
            result += static_cast<char>(std::stoi(text.substr(at + 1, 3), nullptr, 8));
            at += 3;
        } else {
            result += text[at];
        }
    }
    return result;
}

} // namespace

std::vector<Mount> list_mounts(const Paths& paths)
{
    // Fields: id parent major:minor root mountpoint options… - type source …
    std::istringstream lines(read_file(paths.proc / "self/mountinfo"));
    std::vector<Mount> mounts;
    for (std::string line; std::getline(lines, line);) {
        const std::size_t dash = line.find(" - ");
        if (dash == std::string::npos)
            continue;
        std::istringstream fields(line.substr(0, dash));
        std::string id;
        std::string parent;
        std::string root;
        Mount mount;
        fields >> id >> parent >> mount.device >> root >> mount.point;
        std::istringstream rest(line.substr(dash + 3));
        std::string type;
        rest >> type >> mount.source;
        mount.point = decoded(mount.point);
        mount.source = decoded(mount.source);
        mounts.push_back(std::move(mount));
    }
    return mounts;
}

std::vector<std::string> mount_points_of(const Paths& paths, const std::string& device)
{
    const auto number = read_attribute(paths.block(device) / "dev");
    if (!number)
        return {};
    std::vector<std::string> points;
    for (const Mount& mount : list_mounts(paths)) {
        if (mount.device == *number)
            points.push_back(mount.point);
    }
    return points;
}

} // namespace zraid
