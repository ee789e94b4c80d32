#include "admin/report.h"
#include "commands.h"
#include "remaining.h"
#include "style.h"
#include "util/size.h"

#include <iostream>

#include <fmt/core.h>

namespace zraid::cli {

namespace {

void line(const char* name, const std::string& value)
{
    std::cout << fmt::format("{:<12} {}\n", fmt::format("{}:", name), value);
}

std::string leg_text(const Leg& leg)
{
    return fmt::format("/dev/{}, {}", leg.device,
                       leg.faulty    ? styled("failed", Mood::bad)
                       : leg.in_sync ? "in sync"
                                     : "filling");
}

void print_ram(const PoolReport& report)
{
    if (!report.view.ram) {
        line("RAM leg", "none");
        return;
    }
    line("RAM leg", leg_text(*report.view.ram));
    if (!report.ram)
        return;
    if (!report.ram_fill.empty())
        line("Fill",
             report.ram_fill == "sparse" ? "only what the image holds" : "all of the image");
    line("RAM taken",
         fmt::format("{} for {} of data, {} for the table", format_size(report.ram->stored),
                     format_size(report.ram->data), format_size(report.ram->table)));
}

void print(const PoolReport& report)
{
    const PoolDefinition& pool = report.definition;
    const PoolSettings& settings = pool.settings;
    line("Name", pool.name);
    line("UUID", pool.uuid.text());
    if (!settings.description.empty())
        line("Description", settings.description);
    line("Type", to_string(pool.type));
    if (!pool.target.empty())
        line("Target",
             pool.target + (report.view.layout == LayoutState::up ? "" : ", not mounted"));
    line("Image", pool.image + (pool.image_kind == ImageKind::block ? " (block device)" : ""));
    line("Size", format_size(pool.size));
    line("Array", pool.md_device());
    line("State", styled(to_string(report.view.state()), mood_of(report.view.state())) +
                      (report.fill ? fmt::format(", {:.1f} %{}", report.fill->percent(),
                                                 remaining_text(*report.fill))
                                   : ""));
    line("Attach", to_string(settings.attach));
    line("Libvirt",
         settings.libvirt ? (settings.autostart ? "registered, autostart" : "registered") : "no");
    line("Compressor", !report.ram_compressor.empty() ? report.ram_compressor
                       : !settings.compressor.empty() ? settings.compressor
                                                      : "the kernel's default");
    if (!settings.recompressor.empty())
        line("Recompressor", settings.recompressor);
    line("Writes", to_string(settings.writes));
    line("RAM limit", settings.ram_limit ? format_size(*settings.ram_limit) : "the image's size");
    line("Disk leg", report.view.disk ? leg_text(*report.view.disk) : "none");
    print_ram(report);
    if (const std::string trouble = trouble_of(report.view); !trouble.empty())
        line("Trouble", styled(trouble, Mood::bad));
    if (!report.attach_problem.empty())
        line("Problem", styled(report.attach_problem, Mood::warning));
    for (const Claim& claim : report.users)
        line("User", fmt::format("{} {}", claim.domain, claim.uuid.text()));
}

} // namespace

void add_info(CommandLine& program, const Admin& admin)
{
    const auto json = std::make_shared<bool>(false);
    Subcommand command = add_pool_command(program, "info", "tell everything about a pool",
                                          [&admin, json](const std::string& name) {
                                              const PoolReport report = report_pool(admin, name);
                                              if (*json)
                                                  std::cout << to_json(report).dump(2) << '\n';
                                              else
                                                  print(report);
                                          });
    command.add_flag("--json", *json, "for programs");
}

} // namespace zraid::cli
