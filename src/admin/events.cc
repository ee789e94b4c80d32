#include "admin/events.h"

#include "devices/md.h"
#include "pools/store.h"
#include "util/json_object.h"
#include "util/process.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include <fmt/core.h>

namespace zraid {

namespace {

/// The pool's array; -1 where the definition does not tell: what is said of the pool is left.
int md_number_of(const Admin& admin, const std::string& pool)
{
    const PoolStore store(admin.paths);
    store.raw_xml(pool); // is there one?
    try {
        return store.load(pool).md_number;
    } catch (const std::exception&) {
        return -1;
    }
}

/// journald writes numbers as text.
template <typename T>
T number_in(const JsonObject& json, const char* field, T otherwise)
{
    const std::string text = json.text(field);
    std::from_chars(text.data(), text.data() + text.size(), otherwise); // NOLINT(*-pointer-*)
    return otherwise;
}

bool is_about(const std::string& message, const std::string& pool, const std::string& array)
{
    return message.find(fmt::format("pool '{}'", pool)) != std::string::npos ||
           (!array.empty() && message.find(array + ":") != std::string::npos);
}

} // namespace

std::vector<Event> parse_events(const std::string& journal, const std::string& pool, int md_number)
{
    const std::string array = md_number < 0 ? "" : md_kernel_name(md_number);
    std::vector<Event> events;
    std::istringstream lines(journal);
    for (std::string line; std::getline(lines, line);) {
        const JsonObject json(line);
        Event event;
        event.message = json.text("MESSAGE");
        event.source = json.text("SYSLOG_IDENTIFIER", "?");
        if (!is_about(event.message, pool, event.source == "kernel" ? array : ""))
            continue;
        std::replace(event.message.begin(), event.message.end(), '\n', ' '); // md says two at once
        event.priority = number_in(json, "PRIORITY", 6);
        event.time = std::chrono::system_clock::time_point(
            std::chrono::microseconds(number_in<std::int64_t>(json, "__REALTIME_TIMESTAMP", 0)));
        events.push_back(std::move(event));
    }
    return events;
}

std::vector<Event> events_of(const Admin& admin, const std::string& pool, const std::string& since,
                             unsigned lines)
{
    const int md_number = md_number_of(admin, pool);
    Command journalctl{{"journalctl", "--quiet", "--no-pager", "--output=json"}};
    journalctl.timeout = Milliseconds{120'000};
    if (!since.empty())
        journalctl.argv.push_back("--since=" + since);
    // The journal sorts out most of what is of no interest; a name's dots may match too much here.
    journalctl.argv.push_back(
        fmt::format("--grep=pool '{}'|md/raid1:md{}:|md: md{}:", pool, md_number, md_number));
    for (const char* source : {"zraid-hook", "zraid-pool", "zraid-monitor", "kernel"})
        journalctl.argv.push_back(fmt::format("SYSLOG_IDENTIFIER={}", source));
    journalctl.accepted = {0, 1}; // 1: there are none
    std::vector<Event> events = parse_events(run(journalctl).out, pool, md_number);
    if (events.size() > lines)
        events.erase(events.begin(), events.end() - lines);
    return events;
}

} // namespace zraid
