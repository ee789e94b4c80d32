#include "commands.h"
#include "pools/definition.h"
#include "pools/store.h"
#include "style.h"
#include "util/error.h"
#include "util/log.h"
#include "util/log_fields.h"

#include <iostream>
#include <memory>

#include <fmt/core.h>

namespace zraid::cli {

namespace {

struct DeedOptions
{
    std::string pool;
    bool all = false;
    bool array_only = false;
};

void do_one(const Admin& admin, const Deed& deed, const DeedOptions& options,
            const std::string& name)
{
    const LogField field("POOL", name);
    in_context(fmt::format("pool '{}'", name),
               [&] { (options.array_only ? deed.act_on_array : deed.act)(admin, name); });
    std::cout << fmt::format("Pool '{}' is {}.\n", name, deed.done);
}

void do_all(const Admin& admin, const Deed& deed, const DeedOptions& options)
{
    std::size_t failed = 0;
    const auto names = PoolStore(admin.paths).names();
    for (const std::string& name : names) {
        try {
            do_one(admin, deed, options, name);
        } catch (const std::exception& e) {
            ++failed;
            log().info("failed: {}", explain(e)); // for the journal
            print_error(explain(e));
        }
    }
    if (failed != 0)
        throw Error(fmt::format("{} of {} pools could not be {}", failed, names.size(), deed.done));
}

void act(const Admin& admin, const Deed& deed, const DeedOptions& options)
{
    if (options.all != options.pool.empty())
        throw UsageError(options.all ? "--all and a pool's name do not go together" : "which pool?",
                         "give a pool's name, or --all");
    if (options.all)
        return do_all(admin, deed, options);
    check_pool_name(options.pool);
    do_one(admin, deed, options, options.pool);
}

} // namespace

void add_deed(CommandLine& program, const Admin& admin, const Deed& deed)
{
    const auto options = std::make_shared<DeedOptions>();
    Subcommand command = program.add_subcommand(deed.name, deed.description);
    command.add_option("POOL", options->pool, "name of the pool");
    command.add_flag("--all", options->all, "every pool that is defined");
    command.add_flag("--array-only", options->array_only,
                     "without libvirt: for the host's boot and shutdown");
    command.callback([&admin, deed, options] { act(admin, deed, *options); });
}

} // namespace zraid::cli
