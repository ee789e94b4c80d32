#include "admin/recompress.h"

#include "commands.h"
#include "util/size.h"

#include <iostream>
#include <memory>

#include <fmt/core.h>

namespace zraid::cli {

namespace {

struct RecompressOptions
{
    std::int64_t idle = 3600;
    bool all = false;
};

void act(const Admin& admin, const RecompressOptions& options, const std::string& name)
{
    const auto idle =
        options.all ? std::nullopt : std::optional(std::chrono::seconds(options.idle));
    const RecompressResult result = recompress_pool(admin, name, idle);
    std::cout << fmt::format("Pool '{}': its RAM leg takes {}, it took {}.\n", name,
                             format_size(result.after), format_size(result.before));
}

} // namespace

void add_recompress(CommandLine& program, const Admin& admin)
{
    const auto options = std::make_shared<RecompressOptions>();
    Subcommand command = add_pool_command(
        program, "recompress",
        "compress idle pages of the RAM leg anew with the stronger compressor",
        [&admin, options](const std::string& name) { act(admin, *options, name); });
    Option idle = command.add_option("--idle", options->idle,
                                     "pages that nobody touched for so many seconds");
    idle.type_name("S").range(std::int64_t{0}, std::int64_t{1'000'000'000}).capture_default_str();
    command.add_flag("--all", options->all, "all pages").excludes(idle);
}

} // namespace zraid::cli
