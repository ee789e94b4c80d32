#pragma once

#include "pools/definition.h"
#include "util/paths.h"

#include <optional>
#include <string>
#include <vector>

namespace zraid {

/// A definition, or why there is none.
struct StoredPool
{
    std::string name; ///< from the file's name
    std::optional<PoolDefinition> definition;
    std::string problem; ///< in one line, when there is no definition
};

/// The folder of definitions, /etc/zraid/pools.
class PoolStore
{
public:
    explicit PoolStore(Paths paths) : paths_(std::move(paths)) {}

    /// Names of the pools that have a file, sorted; nothing is read.
    std::vector<std::string> names() const;
    bool contains(const std::string& name) const;
    /// @throws Error if there is none, or it is broken, or others may write to it
    PoolDefinition load(const std::string& name) const;
    /// All of them; a broken one does not keep the others from being read.
    std::vector<StoredPool> load_all() const;
    /// @throws Error if everybody may write to the folder: the definition would not be trusted
    void save(const PoolDefinition& pool) const;
    /// Nothing happens if there is none.
    void remove(const std::string& name) const;
    /// The file as it is.
    std::string raw_xml(const std::string& name) const;

    std::filesystem::path file(const std::string& name) const
    {
        return paths_.pools() / (name + ".xml");
    }

private:
    Paths paths_;
};

/// Refuses a file (or folder) that everybody may write to: what is in it decides what root does.
/// @throws Error
void refuse_world_writable(const std::filesystem::path& path);

} // namespace zraid
