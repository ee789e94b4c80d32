#include "admin/repair.h"
#include "commands.h"
#include "progress.h"
#include "util/error.h"
#include "util/json.h"
#include "util/size.h"

#include <iostream>
#include <optional>

#include <fmt/core.h>

namespace zraid::cli {

namespace {

ScrubResult scrub(const Admin& admin, const std::string& name, bool json)
{
    std::optional<ProgressBar> bar;
    if (!json)
        bar.emplace(fmt::format("Pool '{}' is compared", name));
    return scrub_pool(admin, name, [&](double percent) {
        if (bar)
            bar->show(percent);
    });
}

void scrub_now(const Admin& admin, const std::string& name, bool json)
{
    const ScrubResult result = scrub(admin, name, json);
    if (json) {
        const Json object = {
            {"name", name}, {"mismatch_bytes", result.mismatches}, {"passes", result.passes}};
        std::cout << object.dump(2) << '\n';
    }
    if (result.mismatches > 0)
        throw Error(fmt::format("the legs differ in {} after {} passes",
                                format_size(result.mismatches), result.passes),
                    fmt::format("look for errors of memory and of the image's device in the "
                                "kernel's log; then zraid-pool repair {0} --from ram copies the "
                                "difference to the image, zraid-pool repair {0} --from image makes "
                                "the RAM leg anew. Both stay as they are until then",
                                name));
    if (!json)
        std::cout << fmt::format("Pool '{}': both legs are the same.\n", name);
}

} // namespace

void add_scrub(CommandLine& program, const Admin& admin)
{
    const auto json = std::make_shared<bool>(false);
    Subcommand command = add_pool_command(
        program, "scrub", "compare both legs",
        [&admin, json](const std::string& name) { scrub_now(admin, name, *json); });
    command.add_flag("--json", *json, "for programs");
}

} // namespace zraid::cli
