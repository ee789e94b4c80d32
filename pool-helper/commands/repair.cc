#include "admin/repair.h"

#include "commands.h"
#include "progress.h"
#include "util/size.h"

#include <iostream>

#include <fmt/core.h>

namespace zraid::cli {

namespace {

void verify(const Admin& admin, const std::string& name)
{
    std::uint64_t copied = 0;
    {
        ProgressBar bar(fmt::format("Pool '{}' is compared", name));
        copied = verify_disk_leg(admin, name, [&](double percent) { bar.show(percent); });
    }
    if (copied > 0)
        std::cout << fmt::format("the disk leg had missed {} more than md knew of\n",
                                 format_size(copied));
}

} // namespace

void add_repair(CommandLine& program, const Admin& admin)
{
    const auto dry_run = std::make_shared<bool>(false);
    Subcommand command =
        add_pool_command(program, "repair", "take back a leg that failed",
                         [&admin, dry_run](const std::string& name) {
                             const auto lines = repair_pool(admin, name, *dry_run);
                             if (!*dry_run)
                                 verify(admin, name);
                             for (const std::string& line : lines)
                                 std::cout << fmt::format("{}{}\n", *dry_run ? "would " : "", line);
                             if (lines.empty())
                                 std::cout << fmt::format("Pool '{}' needs no repair.\n", name);
                         });
    command.add_flag("--dry-run", *dry_run, "only tell what would be done");
}

} // namespace zraid::cli
