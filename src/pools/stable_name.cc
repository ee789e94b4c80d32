#include "pools/stable_name.h"

#include "pools/store.h"
#include "util/error.h"
#include "util/files.h"
#include "util/text.h"

#include <algorithm>

#include <fmt/core.h>

namespace zraid {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "zraid:";

bool is_among(const std::vector<std::string>& pools, const std::string& name)
{
    return std::find(pools.begin(), pools.end(), name) != pools.end();
}

} // namespace

std::optional<StableName> parse_stable_name(const Paths& paths, const std::string& path,
                                            const std::vector<std::string>& pools)
{
    const fs::path normal = fs::path(path).lexically_normal();
    const std::string name = normal.filename();
    const std::string pool = normal.parent_path().filename();
    if (name.empty() || normal.parent_path().parent_path() != paths.device("zraid") ||
        !is_among(pools, pool))
        return std::nullopt;
    return StableName{pool, name == kArrayName ? "" : name};
}

void make_stable_name(const Paths& paths, const PoolDefinition& pool, const std::string& path)
{
    const auto name = parse_stable_name(paths, path, {pool.name});
    if (!name || pool.type == PoolType::logical)
        return;
    const std::string array = pool.md_kernel_name();
    if (name->device.empty())
        return make_stable_link(path, array);
    if (number_after(name->device, array + "p"))
        return make_stable_link(path, name->device);
    std::error_code ignored;
    fs::remove(fs::path(path).lexically_normal(),
               ignored); // of a number that the pool no longer has
    throw Error(
        fmt::format("'{}' is no volume of pool '{}': its array is {}", path, pool.name, array),
        fmt::format("give the domain one that zraid-pool vol-list {} shows", pool.name));
}

void make_stable_link(const std::string& path, const std::string& device)
{
    const fs::path link = fs::path(path).lexically_normal();
    const fs::path target = fs::path("../..") / device;
    std::error_code code;
    if (fs::read_symlink(link, code) == target)
        return;
    if (fs::is_symlink(
            fs::symlink_status(link.parent_path()))) // as it was before there were folders
        fs::remove(link.parent_path());
    make_folder(link.parent_path(), 0755);
    // Never without one: somebody may be opening it.
    const fs::path made = link.string() + ".new";
    fs::remove(made);
    fs::create_symlink(target, made);
    fs::rename(made, link);
}

std::string stable_path(const Paths& paths, const std::string& pool, const std::string& volume)
{
    return paths.device("zraid") / pool / volume;
}

std::optional<std::string> name_instead_of(const Paths& paths, const std::string& path,
                                           const std::vector<std::string>& pools)
{
    const fs::path normal = fs::path(path).lexically_normal();
    const std::string name = normal.filename();
    if (normal.parent_path() != paths.device("zraid"))
        return std::nullopt;
    if (is_among(pools, name))
        return stable_path(paths, name, kArrayName);
    for (std::size_t dash = name.rfind('-'); dash != std::string::npos && dash > 0;
         dash = name.rfind('-', dash - 1)) {
        if (is_among(pools, name.substr(0, dash)))
            return stable_path(paths, name.substr(0, dash), name.substr(dash + 1));
    }
    return std::nullopt;
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
