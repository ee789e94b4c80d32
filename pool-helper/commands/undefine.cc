#include "admin/boot_units.h"
#include "admin/define.h"
#include "commands.h"
#include "consent.h"
#include "domains/references.h"
#include "pools/store.h"
#include "util/size.h"

#include <iostream>

#include <fmt/core.h>

namespace zraid::cli {

namespace {

struct UndefineOptions
{
    bool remove_image = false;
    bool keep_references = false;
    Consent consent;
};

std::string what_goes(const Admin& admin, const std::string& name)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    return fmt::format("The image '{}' ({}) of pool '{}' is removed with all that is in it.",
                       pool.image, format_size(pool.size), name);
}

void act(const Admin& admin, const std::string& name, const UndefineOptions& options)
{
    if (options.remove_image)
        options.consent.need([&] { return what_goes(admin, name); });
    undefine_pool(admin, name, options.remove_image, [&] {
        if (!options.keep_references)
            refuse_references(domains_on_pool(admin.paths, PoolStore(admin.paths).load(name)),
                              fmt::format("pool '{}'", name));
    });
    renew_boot_units(admin.paths);
    std::cout << fmt::format("Pool '{}' is no longer defined.\n", name);
}

} // namespace

void add_undefine(CommandLine& program, const Admin& admin)
{
    const auto options = std::make_shared<UndefineOptions>();
    Subcommand command = add_pool_command(
        program, "undefine", "take a pool away; its image stays unless told otherwise",
        [&admin, options](const std::string& name) { act(admin, name, *options); });
    command.add_flag("--remove-image", options->remove_image,
                     "remove the image with all that is in it");
    command.add_flag("--keep-references", options->keep_references,
                     "also if definitions of domains still name it");
    options->consent.add(command);
}

} // namespace zraid::cli
