#include "admin/import.h"

#include "admin/boot_units.h"
#include "commands.h"
#include "table.h"
#include "util/error.h"
#include "util/size.h"

#include <iostream>

#include <fmt/core.h>

namespace zraid::cli {

namespace {

void print(const ImportReport& report, bool apply)
{
    Table table({"POOL", "MD", "SIZE", "STATE", "IMAGE"});
    for (const ImportEntry& entry : report.entries)
        table.add({entry.pool.empty() ? "-" : entry.pool,
                   entry.md_number < 0 ? "-" : fmt::format("/dev/md{}", entry.md_number),
                   entry.size == 0 ? "-" : format_size(entry.size), to_string(entry.state),
                   entry.image});
    std::cout << table.text();
    for (const ImportEntry& entry : report.entries) {
        if (!entry.why.empty())
            std::cout << fmt::format("{}: {}\n", entry.pool.empty() ? "?" : entry.pool, entry.why);
        if (!entry.remark.empty())
            std::cout << fmt::format("{}: {}\n", entry.pool, entry.remark);
    }
    std::cout << fmt::format("Memory limit: {}\n", report.memory_limit);
    for (const std::string& warning : report.warnings)
        std::cout << fmt::format("Warning: {}\n", warning);
    if (!apply)
        std::cout << "Nothing was changed. Next: the same with --apply\n";
}

} // namespace

void add_import(CommandLine& program, const Admin& admin)
{
    struct Options
    {
        std::string file;
        bool apply = false;
    };
    const auto options = std::make_shared<Options>();
    Subcommand command =
        program.add_subcommand("import", "make pools of the arrays of ZRAM-RAID, with their data");
    command.add_option("FILE", options->file, "its configuration file").required();
    command.add_flag("--apply", options->apply, "do it; without it, tell what would be done");
    command.callback([&admin, options] {
        const ImportReport report = import_zram_raid(admin, options->file, options->apply);
        if (options->apply)
            renew_boot_units(admin.paths);
        print(report, options->apply);
        if (options->apply && report.has_refused())
            throw Error("not all arrays are imported");
    });
}

} // namespace zraid::cli
