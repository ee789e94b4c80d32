#include "admin/run.h"
#include "commands.h"

#include <iostream>

#include <fmt/format.h>

namespace zraid::cli {

void add_stop(CLI::App& app, const Admin& admin)
{
    add_pool_command(app, "stop", "stop libvirt's storage pool and the array",
                     [&admin](const std::string& name) {
                         stop_pool(admin, name);
                         std::cout << fmt::format("Pool '{}' is stopped.\n", name);
                     });
}

} // namespace zraid::cli
