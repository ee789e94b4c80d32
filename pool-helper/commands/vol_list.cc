#include "admin/volumes.h"
#include "commands.h"
#include "table.h"
#include "util/json.h"
#include "util/size.h"

#include <iostream>

namespace zraid::cli {

namespace {

void print_json(const std::vector<LibvirtVolume>& volumes)
{
    Json array = Json::array();
    for (const LibvirtVolume& volume : volumes)
        array.push_back({{"name", volume.name},
                         {"path", volume.path},
                         {"size_bytes", volume.capacity},
                         {"format", volume.format}});
    std::cout << array.dump(2) << '\n';
}

void print_table(const std::vector<LibvirtVolume>& volumes)
{
    Table table({"NAME", "SIZE", "FORMAT", "PATH"});
    for (const LibvirtVolume& volume : volumes)
        table.add({volume.name, format_size(volume.capacity), volume.format, volume.path});
    std::cout << table.text();
}

} // namespace

void add_vol_list(CommandLine& program, const Admin& admin)
{
    const auto json = std::make_shared<bool>(false);
    Subcommand command = add_pool_command(program, "vol-list", "list the volumes of a pool",
                                          [&admin, json](const std::string& name) {
                                              const auto volumes = list_volumes(admin, name);
                                              if (*json)
                                                  print_json(volumes);
                                              else
                                                  print_table(volumes);
                                          });
    command.add_flag("--json", *json, "for programs");
}

} // namespace zraid::cli
