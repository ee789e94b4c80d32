#include "domains/pool_finder.h"

#include "devices/block_tree.h"
#include "devices/md.h"
#include "domains/backing_chain.h"
#include "layout/layout.h"
#include "pools/stable_name.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/log.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/core.h>

namespace zraid {

namespace fs = std::filesystem;

namespace {

/// The number in a path that is an array's, or leads to one; -1 for any other.
int number_named(const Paths& paths, const std::string& path)
{
    return path.starts_with('/') ? md_number_in_path(paths, follow_links(path)) : -1;
}

std::set<int> array_numbers(const Paths& paths, const std::string& path)
{
    if (!path.starts_with('/'))
        return {};
    if (const int number = number_named(paths, path); number >= 0)
        return {number};
    try {
        return arrays_below(paths, path);
    } catch (const SystemError& e) {
        // A file on a dead mount, say: whether the VM can live with that is libvirt's to find out.
        log().warn("{}; the disk is taken for none of zraid's", explain(e));
        return {};
    }
}

/// A path to something that is not there, with every link on its way followed that is; empty if it
/// is there, or cannot be a volume.
std::string missing_target(const std::string& path)
{
    if (!path.starts_with('/'))
        return {};
    std::error_code code;
    if (fs::exists(fs::status(path, code)) || code == std::errc::permission_denied)
        return {};
    const fs::path end = follow_links(path);
    const fs::path folder = fs::weakly_canonical(end.parent_path(), code);
    return code ? end : folder / end.filename();
}

/// Does the array with the pool's number belong to somebody else? Then a path to it is not to the
/// pool.
bool number_is_foreign(const Paths& paths, const PoolDefinition& pool)
{
    const auto array = read_md(paths, pool.md_number);
    return array && array->uuid && *array->uuid != pool.uuid;
}

/// A number says nothing of whose the array is: the domain would write to a stranger's.
[[noreturn]] void refuse_foreign_array(const PoolDefinition& pool, const std::string& path)
{
    throw Error(fmt::format("'{}' has the number of pool '{}', but the array there is another one",
                            path, pool.name),
                fmt::format("stop /dev/{0} (mdadm --stop) if the pool is meant; else give the "
                            "domain a name of the other array that is not its number "
                            "(/dev/disk/by-id/md-uuid-…), and the pool's domains /dev/zraid/{1}/…",
                            pool.md_kernel_name(), pool.name));
}

} // namespace

std::string follow_links(std::string path)
{
    for (int depth = 0; depth < 16; ++depth) {
        path = fs::path(path).lexically_normal();
        std::error_code code;
        const fs::path target = fs::read_symlink(path, code);
        if (code)
            break;
        path = target.is_absolute() ? target : fs::path(path).parent_path() / target;
    }
    return path;
}

std::vector<PoolDefinition> pools_of_domain(const Paths& paths, const DomainDisks& domain)
{
    const PoolStore store(paths);
    const std::vector<std::string> names = store.names();
    if (names.empty())
        return {};

    std::set<std::string> wanted_names;
    std::set<std::string> wanted_names_of_paths;
    std::set<int> wanted_numbers;
    std::map<int, std::string> named_numbers; // and the path that has the number
    std::vector<std::string> missing;         // a volume of an array or a layout that is not up
    for (const DiskSource& source : with_backing_chains(paths, domain.sources)) {
        if (!source.pool.empty()) {
            if (std::find(names.begin(), names.end(), source.pool) != names.end())
                wanted_names.insert(source.pool);
        } else if (const auto stable = parse_stable_name(paths, source.path, names)) {
            wanted_names_of_paths.insert(stable->pool);
        } else if (const auto instead = name_instead_of(paths, source.path, names)) {
            throw Error(
                fmt::format("'{}' is a name that zraid does not make any more", source.path),
                fmt::format("give the domain '{}' (virsh edit), if that is what is meant",
                            *instead));
        } else {
            auto numbers = array_numbers(paths, source.path);
            const std::string target =
                numbers.empty() ? missing_target(source.path) : std::string();
            wanted_numbers.merge(numbers);
            if (const int number = number_named(paths, source.path); number >= 0)
                named_numbers.emplace(number, source.path);
            if (!target.empty())
                missing.insert(missing.end(), {source.path, target});
        }
    }
    if (wanted_names.empty() && wanted_names_of_paths.empty() && wanted_numbers.empty() &&
        missing.empty())
        return {};

    std::vector<PoolDefinition> found;
    for (const StoredPool& pool : store.load_all()) {
        const bool by_path = wanted_names_of_paths.contains(pool.name);
        const bool by_name = wanted_names.contains(pool.name);
        if (!pool.definition) {
            if (by_name || by_path)
                throw Error(pool.problem);
            log().warn("pool '{}' is left out: {}", pool.name, pool.problem);
            continue;
        }
        const PoolDefinition& definition = *pool.definition;
        bool by_number = wanted_numbers.contains(definition.md_number);
        if (by_number && number_is_foreign(paths, definition)) {
            if (const auto named = named_numbers.find(definition.md_number);
                named != named_numbers.end())
                refuse_foreign_array(definition, named->second);
            by_number = false; // a file on a file system there
        }
        const auto layout = layout_of(paths, definition);
        const bool by_text = std::any_of(missing.begin(), missing.end(), [&](const auto& path) {
            return layout->volume_in_path(path).has_value();
        });
        if ((by_name && definition.settings.libvirt) || by_path || by_number || by_text)
            found.push_back(definition);
    }
    return found;
}

} // namespace zraid
