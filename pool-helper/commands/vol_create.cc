#include "admin/volumes.h"
#include "commands.h"
#include "util/size.h"

#include <iostream>

#include <fmt/core.h>

namespace zraid::cli {

void add_vol_create(CommandLine& program, const Admin& admin)
{
    struct Options
    {
        std::string size;
        VolumeRequest request;
    };
    const auto options = std::make_shared<Options>();
    Subcommand command =
        add_pool_command(program, "vol-create", "make a volume in a pool",
                         [&admin, options](const std::string& name) {
                             const LibvirtVolume volume = create_volume(
                                 admin, name, parse_size(options->size), options->request);
                             std::cout << fmt::format("Volume '{}' is made: {}, {}.\n", volume.name,
                                                      volume.path, format_size(volume.capacity));
                         });
    command.add_option("SIZE", options->size, "its size, such as 10G").required();
    command
        .add_option("--name", options->request.name,
                    "its name, in a pool of type logical or fs; partitions have the kernel's")
        .type_name("NAME");
    command.add_option("--format", options->request.format, "of a file: raw or qcow2; default: raw")
        .type_name("FORMAT");
}

} // namespace zraid::cli
