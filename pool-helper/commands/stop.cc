#include "admin/run.h"
#include "commands.h"

namespace zraid::cli {

void add_stop(CommandLine& program, const Admin& admin)
{
    add_deed(
        program, admin,
        {"stop", "stop libvirt's storage pool and the array", "stopped", stop_pool, stop_array_of});
}

} // namespace zraid::cli
