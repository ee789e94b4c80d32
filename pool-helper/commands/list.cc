#include "admin/report.h"
#include "commands.h"
#include "style.h"
#include "table.h"
#include "util/error.h"
#include "util/json.h"
#include "util/size.h"
#include "util/text.h"

#include <iostream>

#include <fmt/core.h>

namespace zraid::cli {

namespace {

std::string user_names(const PoolReport& report)
{
    std::string names;
    for (const Claim& claim : report.users)
        names += (names.empty() ? "" : ",") + claim.domain;
    return names.empty() ? "-" : names;
}

std::string fill_text(const PoolReport& report)
{
    if (!report.fill)
        return "-";
    const auto time = report.fill->remaining();
    return fmt::format("{:.0f}%{}", report.fill->percent(),
                       time ? " (" + format_duration(*time) + ")" : "");
}

/// A domain that runs on the disk leg alone is slower than it was meant to be.
Mood mood_of_pool(const PoolReport& report)
{
    const PoolState state = report.view.state();
    return state == PoolState::disk_only && !report.users.empty() ? Mood::warning : mood_of(state);
}

void print_table(const std::vector<PoolReport>& reports)
{
    Table table({"NAME", "STATE", "FILL", "MD", "SIZE", "RAM", "USERS", "IMAGE"});
    for (const PoolReport& report : reports) {
        if (!report.problem.empty()) {
            table.add({report.name, styled("broken", Mood::bad), "-", "-", "-", "-", "-", "-"});
            continue;
        }
        const std::uint64_t ram = report.ram ? report.ram->stored + report.ram->table : 0;
        table.add({report.name, styled(to_string(report.view.state()), mood_of_pool(report)),
                   fill_text(report), report.definition.md_device(),
                   format_size(report.definition.size), report.ram ? format_size(ram) : "-",
                   user_names(report), report.definition.image});
    }
    std::cout << table.text();
    // Behind the table, where it is not cut off and not overlooked.
    for (const PoolReport& report : reports) {
        const std::string trouble = trouble_of(report.view);
        if (!trouble.empty())
            std::cout << fmt::format("{}: {}\n", report.name, styled(trouble, Mood::bad));
    }
}

void act(const Admin& admin, bool json)
{
    const std::vector<PoolReport> reports = report_all(admin);
    std::string problems;
    Json array = Json::array();
    for (const PoolReport& report : reports) {
        array.push_back(to_json(report));
        if (!report.problem.empty())
            problems += (problems.empty() ? "" : "; ") + report.problem;
    }
    if (json)
        std::cout << array.dump(2) << '\n';
    else
        print_table(reports);
    // All that can be listed is, and a script learns that something is wrong.
    if (!problems.empty())
        throw Error(problems);
}

} // namespace

void add_list(CommandLine& program, const Admin& admin)
{
    const auto json = std::make_shared<bool>(false);
    Subcommand command = program.add_subcommand("list", "list all pools");
    command.add_flag("--json", *json, "for programs");
    command.callback([&admin, json] { act(admin, *json); });
}

} // namespace zraid::cli
