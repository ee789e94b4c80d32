#pragma once

#include "memory/budget.h"
#include "util/paths.h"

#include <string>

namespace zraid {

/// What holds for all pools: /etc/zraid/zraid.conf, a line "name = value" for each setting. Blank
/// lines, and what follows a '#', are notes.
struct Settings
{
    MemoryPolicy memory; ///< memory-limit: "90%" of MemAvailable, or a size
};

/// The defaults where there is no such file.
/// @throws Error naming file and line; also if everybody may write to the file
Settings load_settings(const Paths& paths);

/// Does the file say a memory-limit?
bool has_memory_limit(const Paths& paths);

/// Adds a memory-limit to the file, which is made if there is none; its other lines stay.
/// @param value such as "90%" or "8G"
/// @throws UsageError if it is neither
void add_memory_limit(const Paths& paths, const std::string& value);

} // namespace zraid
