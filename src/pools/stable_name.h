#pragma once

#include "pools/definition.h"
#include "util/paths.h"

#include <optional>
#include <string>
#include <vector>

namespace zraid {

/// Name of the array in its pool's folder below /dev/zraid. A pool of type logical has none, as its
/// volumes have any name.
inline constexpr const char* kArrayName = "array";

/// What a path below /dev/zraid stands for: a folder for each pool, so that no two have one name.
/// udev makes these links (63-zraid.rules): POOL/array to the array, POOL/VOLUME to a volume of it.
struct StableName
{
    std::string pool;
    std::string device; ///< name of the volume, such as "md100p1"; empty: the array itself

    bool operator==(const StableName&) const = default;
};

/// @param pools names of the pools that are defined
/// @return nothing if the path is not below /dev/zraid, or names none of these pools
std::optional<StableName> parse_stable_name(const Paths& paths, const std::string& path,
                                            const std::vector<std::string>& pools);

/// Makes the link that a path below /dev/zraid is to be, also where there is one that leads
/// elsewhere: whoever assembled the array just now cannot wait for udev, which comes to the same
/// link later. Nothing is done about volumes of type logical, see make_volume_link().
/// @throws Error if the pool has no such volume: what the path leads to is not its;
/// std::filesystem::filesystem_error
void make_stable_name(const Paths& paths, const PoolDefinition& pool, const std::string& path);

/// Makes a link in a pool's folder below /dev/zraid, in the place of one that leads elsewhere.
/// @param device the kernel's name of what it leads to
/// @throws std::filesystem::filesystem_error
void make_stable_link(const std::string& path, const std::string& device);

/// The path below /dev/zraid by which a domain should have a volume: it says whose it is.
/// @param volume of a type that is no fs
std::string stable_path(const Paths& paths, const std::string& pool, const std::string& volume);

/// The name that a path of the form /dev/zraid/POOL or /dev/zraid/POOL-VOLUME, as they were once,
/// has now; nothing for any other path. Which pool is meant may be in doubt: it is told, and not
/// followed.
std::optional<std::string> name_instead_of(const Paths& paths, const std::string& path,
                                           const std::vector<std::string>& pools);

/// The pool that an array is of.
/// @param md_name from its superblock; for ours "zraid:" and as much of the pool's name as fits
/// @param uuid of the array, by which the definition is found
/// @return nothing if it is no array of zraid's, or of no pool that is defined here
std::optional<PoolDefinition> pool_of_array(const Paths& paths, const std::string& md_name,
                                            const Uuid& uuid);

} // namespace zraid
