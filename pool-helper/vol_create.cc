#include "admin/volumes.h"
#include "commands.h"
#include "util/size.h"

#include <iostream>

#include <fmt/format.h>

namespace zraid::cli {

void add_vol_create(CLI::App& app, const Admin& admin)
{
    const auto size = std::make_shared<std::string>();
    CLI::App* command = add_pool_command(
        app, "vol-create", "make a volume in a pool", [&admin, size](const std::string& name) {
            const LibvirtVolume volume = create_volume(admin, name, parse_size(*size));
            std::cout << fmt::format("Volume '{}' is made: {}, {}.\n", volume.name, volume.path,
                                     format_size(volume.capacity));
        });
    command->add_option("SIZE", *size, "its size, such as 10G")->required();
}

} // namespace zraid::cli
