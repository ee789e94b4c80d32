#include "admin/run.h"
#include "commands.h"

#include <iostream>

#include <fmt/core.h>

namespace zraid::cli {

void add_detach(CommandLine& program, const Admin& admin)
{
    add_pool_command(program, "detach", "take the RAM leg away, also under a running domain",
                     [&admin](const std::string& name) {
                         detach_pool(admin, name);
                         std::cout << fmt::format("Pool '{}' works from its disk leg.\n", name);
                     });
}

} // namespace zraid::cli
