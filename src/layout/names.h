#pragma once

#include "pools/definition.h"
#include "util/paths.h"

#include <string>

// What layouts share about the names of their volumes.

namespace zraid {

/// Checks the name that somebody chose for a new volume.
/// @throws UsageError
void check_chosen_name(const std::string& volume);

/// Checks a name of a volume that is a file name.
/// @throws Error if no volume can have it
void check_file_name(const PoolDefinition& pool, const std::string& volume);

/// The number of a partition in its name, mdNpM.
/// @throws Error if it is no name of a volume of this pool
int partition_number(const PoolDefinition& pool, const std::string& volume);

/// Does the kernel know the partition?
/// @throws Error if it is no name of a volume of this pool
bool has_partition(const Paths& paths, const PoolDefinition& pool, const std::string& volume);

/// Who has a volume open that is a block device, by any of its names; empty: nobody.
std::string openers_of_device_at(const Paths& paths, const std::string& path);

} // namespace zraid
