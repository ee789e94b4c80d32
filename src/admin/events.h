#pragma once

#include "admin/admin.h"

#include <chrono>
#include <string>
#include <vector>

namespace zraid {

/// Something that happened to a pool, as the journal has it.
struct Event
{
    std::chrono::system_clock::time_point time;
    std::string source;  ///< "zraid-hook", "zraid-pool", "zraid-monitor" or "kernel"
    int priority = 6;    ///< as syslog(3) counts it: 0 emergency to 7 debug
    std::string message; ///< one line
};

/// What the journal has of a pool: what zraid's programs said of it and what the kernel said of its
/// array, oldest first.
/// @param since as journalctl(1) takes it; empty: all
/// @param lines at most so many, the newest
/// @throws Error if journalctl cannot be run
std::vector<Event> events_of(const Admin& admin, const std::string& pool, const std::string& since,
                             unsigned lines);

/// Reads what `journalctl --output=json` prints, an object a line; other lines are left out, as is
/// what is about other pools.
/// @param md_number of the pool's array, or -1
std::vector<Event> parse_events(const std::string& journal, const std::string& pool, int md_number);

} // namespace zraid
