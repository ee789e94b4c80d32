#pragma once

#include "admin/admin.h"
#include "command_line.h"

namespace zraid::cli {

/// Subcommands about a disk of a domain, not about a pool: as those of commands.h.
void add_adopt(CommandLine& program, const Admin& admin);
void add_release(CommandLine& program, const Admin& admin);

} // namespace zraid::cli
