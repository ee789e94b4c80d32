#pragma once

#include "pools/definition.h"
#include "util/paths.h"

#include <optional>
#include <string>

namespace zraid {

/// Where a volume is: /dev/mdNpM, /dev/POOL/VOLUME or a file below the target. It need not exist.
std::string volume_path(const Paths& paths, const PoolDefinition& pool, const std::string& volume);

/// Checks what somebody says is a volume of the pool.
/// @throws Error if no volume of this pool can have that name
void check_volume_name(const PoolDefinition& pool, const std::string& volume);

/// Checks a name that somebody chose for a new volume.
/// @throws UsageError
void check_new_volume_name(const std::string& volume);

/// The number of a partition in its name, mdNpM.
/// @throws Error if it is no name of a volume of this pool
int partition_number(const PoolDefinition& pool, const std::string& volume);

/// The volume of a pool of type logical or fs that a path means, by its text alone: for what is not
/// there, because its array or its layout is not up. Knows /dev/POOL/VOLUME,
/// /dev/mapper/POOL-VOLUME, /dev/zraid/POOL-VOLUME, and files below the target.
/// @return nothing for any other path
std::optional<std::string> volume_in_path(const Paths& paths, const PoolDefinition& pool,
                                          const std::string& path);

/// Makes the link /dev/zraid/POOL-VOLUME that a path is to be, if the pool's type is logical and it
/// is not there: whoever brought the volume up just now cannot wait for udev.
/// @throws std::filesystem::filesystem_error
void make_volume_link(const Paths& paths, const PoolDefinition& pool, const std::string& path);

/// Is this device-mapper device a volume of the pool?
/// @param device the kernel's name, such as "dm-3"
bool is_volume_of(const Paths& paths, const PoolDefinition& pool, const std::string& device);

} // namespace zraid
