#pragma once

#include "pools/definition.h"
#include "util/paths.h"

#include <optional>
#include <string>
#include <vector>

namespace zraid {

/// What a path below /dev/zraid stands for. udev makes these links (63-zraid.rules): POOL to the
/// array, POOL-VOLUME to a volume of it.
struct StableName
{
    std::string pool;
    std::string device; ///< kernel name of the volume, such as "md100p1"; empty: the array itself

    bool operator==(const StableName&) const = default;
};

/// @param pools names of the pools that are defined
/// @return nothing if the path is not below /dev/zraid, or names none of these pools
std::optional<StableName> parse_stable_name(const Paths& paths, const std::string& path,
                                            const std::vector<std::string>& pools);

/// Makes the link that a path below /dev/zraid is to be, if it is not there: whoever assembled the
/// array just now cannot wait for udev, which comes to the same link later.
/// @throws std::filesystem::filesystem_error
void make_stable_name(const Paths& paths, const PoolDefinition& pool, const std::string& path);

/// Makes a link below /dev/zraid, unless there is one by now.
/// @param device the kernel's name of what it leads to
/// @throws std::filesystem::filesystem_error
void make_stable_link(const std::string& path, const std::string& device);

/// The pool that an array is of.
/// @param md_name from its superblock; for ours "zraid:" and as much of the pool's name as fits
/// @param uuid of the array, by which the definition is found
/// @return nothing if it is no array of zraid's, or of no pool that is defined here
std::optional<PoolDefinition> pool_of_array(const Paths& paths, const std::string& md_name,
                                            const Uuid& uuid);

} // namespace zraid
