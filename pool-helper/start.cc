#include "admin/run.h"
#include "commands.h"

#include <iostream>

#include <fmt/format.h>

namespace zraid::cli {

void add_start(CLI::App& app, const Admin& admin)
{
    add_pool_command(app, "start", "assemble the array and start libvirt's storage pool",
                     [&admin](const std::string& name) {
                         start_pool(admin, name);
                         std::cout << fmt::format("Pool '{}' is started.\n", name);
                     });
}

} // namespace zraid::cli
