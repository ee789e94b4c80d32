#include "commands.h"
#include "pools/store.h"

#include <iostream>

namespace zraid::cli {

void add_dumpxml(CommandLine& program, const Admin& admin)
{
    add_pool_command(program, "dumpxml", "print the definition of a pool",
                     [&admin](const std::string& name) {
                         std::cout << to_xml(PoolStore(admin.paths).load(name));
                     });
}

} // namespace zraid::cli
