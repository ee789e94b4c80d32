#include "layout/names.h"

#include "devices/block_tree.h"
#include "devices/volume_group.h"
#include "pools/stable_name.h"
#include "util/error.h"
#include "util/files.h"
#include "util/text.h"

#include <algorithm>
#include <cctype>

#include <fmt/core.h>

namespace zraid {

namespace {

namespace fs = std::filesystem;

std::optional<std::string> volume_in_device_path(const Paths& paths, const PoolDefinition& pool,
                                                 const fs::path& path)
{
    const std::string name = path.filename();
    if (path.parent_path() == paths.device(pool.name) && !name.empty())
        return name;
    if (path.parent_path() == paths.device("mapper"))
        return volume_in_mapper_name(pool.name, name);
    const std::string prefix = pool.name + '-';
    if (path.parent_path() == paths.device("zraid") && name.starts_with(prefix) &&
        name.size() > prefix.size())
        return name.substr(prefix.size());
    return std::nullopt;
}

} // namespace

std::string volume_path(const Paths& paths, const PoolDefinition& pool, const std::string& volume)
{
    switch (pool.type) {
    case PoolType::logical:
        return paths.device(pool.name) / volume;
    case PoolType::fs:
        return fs::path(pool.target) / volume;
    case PoolType::disk:
    case PoolType::whole:
        break;
    }
    return "/dev/" + volume;
}

void check_volume_name(const PoolDefinition& pool, const std::string& volume)
{
    if (has_partitions(pool.type)) {
        partition_number(pool, volume);
        return;
    }
    if (volume.empty() || volume == "." || volume == ".." || volume.find('/') != std::string::npos)
        throw Error(fmt::format("there is no volume '{}'", volume),
                    fmt::format("zraid-pool vol-list {}", pool.name));
}

void check_new_volume_name(const std::string& volume)
{
    const auto allowed = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' ||
               c == '-' || c == '+';
    };
    if (volume.empty() || volume.size() > 100 || volume.front() == '.' || volume.front() == '-' ||
        !std::all_of(volume.begin(), volume.end(), allowed))
        throw UsageError(fmt::format("'{}' is no name for a volume", volume),
                         "use up to 100 letters, digits, '.', '_', '-' and '+', the first none of "
                         "'.' and '-'");
}

int partition_number(const PoolDefinition& pool, const std::string& volume)
{
    const std::string prefix = fmt::format("md{}p", pool.md_number);
    if (const auto number = number_after(volume, prefix); number && *number > 0)
        return *number;
    throw Error(fmt::format("there is no volume '{}': this pool's are named {}1, {}2, …", volume,
                            prefix, prefix),
                fmt::format("zraid-pool vol-list {}", pool.name));
}

std::optional<std::string> volume_in_path(const Paths& paths, const PoolDefinition& pool,
                                          const std::string& path)
{
    const fs::path normal = fs::path(path).lexically_normal();
    if (pool.type == PoolType::logical)
        return volume_in_device_path(paths, pool, normal);
    const std::string below = pool.target + '/';
    if (pool.type != PoolType::fs || !normal.string().starts_with(below))
        return std::nullopt;
    return normal.string().substr(below.size());
}

void make_volume_link(const Paths& paths, const PoolDefinition& pool, const std::string& path)
{
    const fs::path link = fs::path(path).lexically_normal();
    if (pool.type != PoolType::logical || link.parent_path() != paths.device("zraid") ||
        fs::is_symlink(fs::symlink_status(link)))
        return;
    const auto volume = volume_in_path(paths, pool, path);
    if (!volume)
        return;
    std::error_code code;
    const fs::path device = fs::canonical(volume_path(paths, pool, *volume), code);
    if (code)
        return; // there is no such volume: QEMU will say so
    make_stable_link(link, device.filename());
}

bool is_volume_of(const Paths& paths, const PoolDefinition& pool, const std::string& device)
{
    if (pool.type != PoolType::logical)
        return false;
    const auto name = read_attribute(paths.block(device) / "dm/name");
    return name && volume_in_mapper_name(pool.name, *name) &&
           arrays_below(paths, paths.device(device)).contains(pool.md_number);
}

} // namespace zraid
