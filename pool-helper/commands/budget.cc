#include "admin/report.h"
#include "commands.h"
#include "table.h"
#include "util/size.h"

#include <iostream>

#include <fmt/core.h>

namespace zraid::cli {

namespace {

void print(const BudgetReport& budget)
{
    std::cout << fmt::format("Memory: {}, available: {}, room for one more RAM leg: {}\n",
                             format_size(budget.memory.total), format_size(budget.memory.available),
                             format_size(budget.room));
    if (budget.pools.empty())
        return;
    Table table({"POOL", "STATE", "TABLE", "STORED", "AT WORST", "FITS"});
    for (const BudgetReport::Pool& pool : budget.pools)
        table.add({pool.name, pool.state, format_size(pool.table), format_size(pool.stored),
                   format_size(pool.use.worst), pool.fits ? "yes" : "no"});
    std::cout << table.text();
}

} // namespace

void add_budget(CommandLine& program, const Admin& admin)
{
    const auto json = std::make_shared<bool>(false);
    Subcommand command =
        program.add_subcommand("budget", "tell what RAM legs take and what would fit");
    command.add_flag("--json", *json, "for programs");
    command.callback([&admin, json] {
        const BudgetReport budget = report_budget(admin);
        if (*json)
            std::cout << to_json(budget).dump(2) << '\n';
        else
            print(budget);
    });
}

} // namespace zraid::cli
