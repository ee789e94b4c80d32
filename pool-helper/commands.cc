#include "commands.h"

#include "pools/definition.h"
#include "util/error.h"
#include "util/log_fields.h"

#include <memory>

#include <fmt/core.h>

namespace zraid::cli {

Subcommand add_pool_command(CommandLine& program, const std::string& name,
                            const std::string& description,
                            std::function<void(const std::string&)> act)
{
    Subcommand command = program.add_subcommand(name, description);
    const auto pool = std::make_shared<std::string>();
    command.add_option("POOL", *pool, "name of the pool").required();
    command.callback([pool, act = std::move(act)] {
        check_pool_name(*pool);
        const LogField field("POOL", *pool);
        in_context(fmt::format("pool '{}'", *pool), [&] { act(*pool); });
    });
    return command;
}

} // namespace zraid::cli
