#include "admin/repair.h"

#include "commands.h"
#include "progress.h"
#include "util/size.h"

#include <iostream>
#include <memory>
#include <optional>

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

std::optional<RightLeg> right_leg(const std::string& word)
{
    if (word.empty())
        return std::nullopt;
    return word == "image" ? RightLeg::image : RightLeg::ram;
}

void repair(const Admin& admin, const std::string& name, bool dry_run, const std::string& from)
{
    const auto lines = repair_pool(admin, name, dry_run, right_leg(from));
    if (!dry_run)
        verify(admin, name);
    for (const std::string& line : lines)
        std::cout << fmt::format("{}{}\n", dry_run ? "would " : "", line);
    if (!lines.empty())
        return;
    std::cout << (from.empty() ? fmt::format("Pool '{}' needs no repair.\n", name)
                               : fmt::format("Pool '{}' goes by its {}.\n", name,
                                             from == "ram" ? "RAM leg" : "image"));
}

} // namespace

void add_repair(CommandLine& program, const Admin& admin)
{
    const auto dry_run = std::make_shared<bool>(false);
    const auto from = std::make_shared<std::string>();
    Subcommand command = add_pool_command(
        program, "repair", "take back a leg that failed",
        [&admin, dry_run, from](const std::string& name) { repair(admin, name, *dry_run, *from); });
    command.add_flag("--dry-run", *dry_run, "only tell what would be done");
    command.add_option("--from", *from, "the leg that is right where they differ: image or ram")
        .one_of({"image", "ram"});
}

} // namespace zraid::cli
