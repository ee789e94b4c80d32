#include "admin/run.h"
#include "commands.h"

#include <iostream>

#include <fmt/core.h>

namespace zraid::cli {

void add_attach(CommandLine& program, const Admin& admin)
{
    add_pool_command(program, "attach", "give the array its RAM leg now",
                     [&admin](const std::string& name) {
                         attach_pool(admin, name);
                         std::cout << fmt::format("Pool '{}' has its RAM leg.\n", name);
                     });
}

} // namespace zraid::cli
