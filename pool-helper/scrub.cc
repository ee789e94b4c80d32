#include "admin/repair.h"
#include "commands.h"
#include "progress.h"
#include "util/error.h"
#include "util/size.h"

#include <iostream>

#include <fmt/format.h>

namespace zraid::cli {

namespace {

void act(const Admin& admin, const std::string& name)
{
    ScrubResult result;
    {
        ProgressBar bar;
        result = scrub_pool(admin, name, [&](double percent) { bar.show(percent); });
    }
    if (result.mismatches > 0)
        throw Error(fmt::format("the legs differ in {} after {} passes",
                                format_size(result.mismatches), result.passes),
                    "the image is what counts: zraid-pool detach, then attach, makes the RAM leg "
                    "anew; look for memory errors in the kernel's log");
    std::cout << fmt::format("Pool '{}': both legs are the same.\n", name);
}

} // namespace

void add_scrub(CLI::App& app, const Admin& admin)
{
    add_pool_command(app, "scrub", "compare both legs",
                     [&admin](const std::string& name) { act(admin, name); });
}

} // namespace zraid::cli
