#include "pools/store.h"

#include "pools/schema.h"
#include "util/error.h"
#include "util/files.h"

#include <fmt/core.h>
#include <sys/stat.h>

namespace zraid {

namespace {

constexpr const char* kEnding = ".xml";

} // namespace

void refuse_world_writable(const std::filesystem::path& path)
{
    struct stat info = {};
    if (::stat(path.c_str(), &info) != 0)
        throw SystemError(errno, "stat '" + path.string() + "'");
    if ((info.st_mode & S_IWOTH) != 0)
        throw Error(
            fmt::format("'{}' may be written by everybody, so it is not trusted", path.string()),
            fmt::format("check what is in it, then chmod o-w '{}'", path.string()));
}

std::vector<std::string> PoolStore::names() const
{
    std::vector<std::string> names;
    for (const std::string& entry : entries_of(paths_.pools())) {
        if (entry.ends_with(kEnding) && !entry.starts_with('.'))
            names.push_back(entry.substr(0, entry.size() - 4));
    }
    return names;
}

bool PoolStore::contains(const std::string& name) const
{
    return std::filesystem::exists(file(name));
}

std::string PoolStore::raw_xml(const std::string& name) const
{
    check_pool_name(name);
    if (!contains(name))
        throw Error(fmt::format("there is no pool '{}'", name),
                    "zraid-pool list shows those that are defined");
    refuse_world_writable(paths_.pools());
    refuse_world_writable(file(name));
    return read_file(file(name), 1U << 20U);
}

PoolDefinition PoolStore::load(const std::string& name) const
{
    PoolDefinition pool = pool_from_xml(paths_, raw_xml(name), file(name));
    if (pool.name != name)
        throw Error(
            fmt::format("{}: defines a pool '{}', not '{}'", file(name).string(), pool.name, name),
            "rename the file or correct the name in it");
    return pool;
}

std::vector<StoredPool> PoolStore::load_all() const
{
    std::vector<StoredPool> pools;
    for (const std::string& name : names()) {
        StoredPool pool{name, std::nullopt, {}};
        try {
            pool.definition = load(name);
        } catch (const std::exception& e) {
            pool.problem = explain(e);
        }
        pools.push_back(std::move(pool));
    }
    return pools;
}

void PoolStore::save(const PoolDefinition& pool) const
{
    make_folder(paths_.pools(), 0700);
    refuse_world_writable(paths_.pools()); // it would not be read again
    save_atomically(file(pool.name), to_xml(pool), 0600);
}

void PoolStore::remove(const std::string& name) const
{
    remove_durably(file(name));
    std::filesystem::remove(file(name).string() + ".new"); // of a define that was killed
    forget_pool_schema(paths_, file(name));
}

} // namespace zraid
