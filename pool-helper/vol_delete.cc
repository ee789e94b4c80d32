#include "admin/volumes.h"
#include "commands.h"

#include <iostream>

#include <fmt/format.h>

namespace zraid::cli {

void add_vol_delete(CLI::App& app, const Admin& admin)
{
    const auto volume = std::make_shared<std::string>();
    CLI::App* command =
        add_pool_command(app, "vol-delete", "delete a volume with all that is in it",
                         [&admin, volume](const std::string& name) {
                             delete_volume(admin, name, *volume);
                             std::cout << fmt::format("Volume '{}' is deleted.\n", *volume);
                         });
    command->add_option("VOLUME", *volume, "name of the volume, such as md100p1")->required();
}

} // namespace zraid::cli
