#include "admin/run.h"
#include "commands.h"
#include "progress.h"
#include "remaining.h"

#include <iostream>

#include <fmt/core.h>

namespace zraid::cli {

namespace {

void act(const Admin& admin, const std::string& name, std::optional<double> seconds)
{
    std::optional<Milliseconds> limit;
    if (seconds)
        limit = Milliseconds(static_cast<std::int64_t>(*seconds * 1000));
    {
        ProgressBar bar(fmt::format("Pool '{}' is filling", name));
        wait_pool(admin, name, limit, [&](const FillProgress& fill) {
            bar.show(fill.percent(), remaining_text(fill));
        });
    }
    std::cout << fmt::format("Pool '{}' is mirrored.\n", name);
}

} // namespace

void add_wait(CommandLine& program, const Admin& admin)
{
    const auto seconds = std::make_shared<std::optional<double>>();
    Subcommand command = add_pool_command(
        program, "wait", "wait until the RAM leg is filled",
        [&admin, seconds](const std::string& name) { act(admin, name, *seconds); });
    command.add_option("--timeout", *seconds, "give up after so many seconds")
        .type_name("S")
        .range(0.0, 1e9);
}

} // namespace zraid::cli
