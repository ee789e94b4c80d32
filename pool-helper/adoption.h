#pragma once

#include "admin/admin.h"

#include <CLI/CLI.hpp>

namespace zraid::cli {

/// Subcommands about a disk of a domain, not about a pool: as those of commands.h.
void add_adopt(CLI::App& app, const Admin& admin);
void add_release(CLI::App& app, const Admin& admin);

} // namespace zraid::cli
