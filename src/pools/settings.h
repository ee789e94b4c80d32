#pragma once

#include "memory/budget.h"
#include "util/paths.h"

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

} // namespace zraid
