#include "admin/run.h"
#include "commands.h"

namespace zraid::cli {

void add_start(CLI::App& app, const Admin& admin)
{
    add_deed(app, admin,
             {"start", "assemble the array and start libvirt's storage pool", "started", start_pool,
              start_array_of});
}

} // namespace zraid::cli
