#include "admin/volumes.h"
#include "commands.h"

#include <iostream>

namespace zraid::cli {

namespace {

struct DiskXmlOptions
{
    std::string volume;
    std::string target = "vda";
};

} // namespace

void add_disk_xml(CommandLine& program, const Admin& admin)
{
    const auto options = std::make_shared<DiskXmlOptions>();
    Subcommand command =
        add_pool_command(program, "disk-xml", "print the <disk> that gives a volume to a domain",
                         [&admin, options](const std::string& name) {
                             std::cout
                                 << volume_disk_xml(admin, name, options->volume, options->target);
                         });
    command.add_option("VOLUME", options->volume, "name of the volume, such as md100p1").required();
    command.add_option("--target", options->target, "name of the disk in the domain")
        .capture_default_str();
}

} // namespace zraid::cli
