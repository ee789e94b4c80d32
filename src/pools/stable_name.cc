#include "pools/stable_name.h"

#include "pools/store.h"
#include "util/files.h"

#include <algorithm>
#include <cctype>

#include <fmt/core.h>

namespace zraid {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "zraid:";

/// Is it the kernel's name of a partition of an array, "md100p1"?
bool is_volume(std::string_view text)
{
    const auto number = [&text] {
        const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
        text.remove_prefix(end);
        return end > 0;
    };
    const auto word = [&text](std::string_view expected) {
        const bool begins = text.starts_with(expected);
        text.remove_prefix(begins ? expected.size() : 0);
        return begins;
    };
    return word("md") && number() && word("p") && number() && text.empty();
}

} // namespace

std::optional<StableName> parse_stable_name(const Paths& paths, const std::string& path,
                                            const std::vector<std::string>& pools)
{
    const fs::path normal = fs::path(path).lexically_normal();
    if (normal.parent_path() != paths.device("zraid"))
        return std::nullopt;
    const std::string name = normal.filename();
    if (std::find(pools.begin(), pools.end(), name) != pools.end())
        return StableName{name, ""};
    const std::size_t dash = name.rfind('-');
    if (dash == std::string::npos || !is_volume(std::string_view(name).substr(dash + 1)))
        return std::nullopt;
    const StableName found{name.substr(0, dash), name.substr(dash + 1)};
    if (std::find(pools.begin(), pools.end(), found.pool) == pools.end())
        return std::nullopt;
    return found;
}

void make_stable_name(const Paths& paths, const PoolDefinition& pool, const std::string& path)
{
    const auto name = parse_stable_name(paths, path, {pool.name});
    if (!name || fs::is_symlink(fs::symlink_status(path)))
        return;
    const std::string array = pool.md_kernel_name();
    if (!name->device.empty() && !name->device.starts_with(array + "p"))
        return; // of a number that the pool no longer has: not its volume
    make_stable_link(path, name->device.empty() ? array : name->device);
}

void make_stable_link(const std::string& path, const std::string& device)
{
    const fs::path link = fs::path(path).lexically_normal();
    make_folder(link.parent_path(), 0755);
    std::error_code code;
    fs::create_symlink(fs::path("..") / device, link, code);
    if (code && code != std::errc::file_exists) // udev was quicker
        throw fs::filesystem_error("make a link", link, code);
}

std::optional<PoolDefinition> pool_of_array(const Paths& paths, const std::string& md_name,
                                            const Uuid& uuid)
{
    if (!md_name.starts_with(kPrefix))
        return std::nullopt;
    for (const StoredPool& pool : PoolStore(paths).load_all()) {
        if (pool.definition && pool.definition->uuid == uuid)
            return pool.definition;
    }
    return std::nullopt;
}

} // namespace zraid
