#include "admin/volumes.h"
#include "commands.h"
#include "consent.h"
#include "domains/references.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/size.h"

#include <iostream>

#include <fmt/core.h>

namespace zraid::cli {

namespace {

struct VolDeleteOptions
{
    std::string volume;
    bool keep_references = false;
    Consent consent;
};

std::string what_goes(const Admin& admin, const std::string& pool, const std::string& volume)
{
    for (const LibvirtVolume& known : list_volumes(admin, pool)) {
        if (known.name == volume)
            return fmt::format("Volume '{}' ({}) of pool '{}' is deleted with all that is in it.",
                               volume, format_size(known.capacity), pool);
    }
    throw Error(fmt::format("there is no volume '{}'", volume),
                fmt::format("zraid-pool vol-list {} lists them", pool));
}

void act(const Admin& admin, const std::string& pool, const VolDeleteOptions& options)
{
    options.consent.need([&] { return what_goes(admin, pool, options.volume); });
    delete_volume(admin, pool, options.volume, [&] {
        if (!options.keep_references)
            refuse_references(
                domains_on_volume(admin.paths, PoolStore(admin.paths).load(pool), options.volume),
                fmt::format("volume '{}'", options.volume));
    });
    std::cout << fmt::format("Volume '{}' is deleted.\n", options.volume);
}

} // namespace

void add_vol_delete(CommandLine& program, const Admin& admin)
{
    const auto options = std::make_shared<VolDeleteOptions>();
    Subcommand command = add_pool_command(
        program, "vol-delete", "delete a volume with all that is in it",
        [&admin, options](const std::string& name) { act(admin, name, *options); });
    command.add_option("VOLUME", options->volume, "name of the volume, such as md100p1").required();
    command.add_flag("--keep-references", options->keep_references,
                     "also if definitions of domains still name it");
    options->consent.add(command);
}

} // namespace zraid::cli
