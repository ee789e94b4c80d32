#include "admin/events.h"

#include "commands.h"
#include "util/json.h"

#include <iostream>

#include <fmt/chrono.h>
#include <fmt/core.h>

namespace zraid::cli {

namespace {

struct EventsOptions
{
    std::string since;
    unsigned lines = 1000;
    bool json = false;
};

std::string time_text(const Event& event)
{
    return fmt::format("{:%Y-%m-%d %H:%M:%S}",
                       fmt::localtime(std::chrono::system_clock::to_time_t(event.time)));
}

void act(const Admin& admin, const std::string& pool, const EventsOptions& options)
{
    const auto events = events_of(admin, pool, options.since, options.lines);
    if (!options.json) {
        for (const Event& event : events)
            std::cout << fmt::format("{} {}: {}\n", time_text(event), event.source, event.message);
        return;
    }
    Json array = Json::array();
    for (const Event& event : events)
        array.push_back({{"time", time_text(event)},
                         {"source", event.source},
                         {"priority", event.priority},
                         {"message", event.message}});
    std::cout << array.dump(2, Json::BadText::replace) << '\n';
}

} // namespace

void add_events(CommandLine& program, const Admin& admin)
{
    const auto options = std::make_shared<EventsOptions>();
    Subcommand command = add_pool_command(
        program, "events", "tell what happened to a pool, from the journal",
        [&admin, options](const std::string& name) { act(admin, name, *options); });
    command.add_option("--since", options->since, "from then on, such as today or -2h")
        .type_name("TIME");
    command.add_option("--lines", options->lines, "at most so many, the newest")
        .type_name("N")
        .capture_default_str();
    command.add_flag("--json", options->json, "for programs");
}

} // namespace zraid::cli
