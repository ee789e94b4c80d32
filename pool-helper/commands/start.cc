#include "admin/run.h"
#include "commands.h"

namespace zraid::cli {

void add_start(CommandLine& program, const Admin& admin)
{
    add_deed(program, admin,
             {"start", "assemble the array and start libvirt's storage pool", "started", start_pool,
              start_array_of});
}

} // namespace zraid::cli
