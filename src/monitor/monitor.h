#pragma once

#include "admin/admin.h"

#include <string>
#include <vector>

namespace zraid {

/// Looks after all pools until the process ends, a thread for each: one whose image lies on a
/// server that does not answer keeps no other waiting. May be killed at any moment; SIGTERM and
/// SIGINT end the process in order, at once and with status 0.
/// @throws Error if the kernel's notifications cannot be had
[[noreturn]] void monitor_pools(const Admin& admin);

/// What one round over all pools came to.
struct RoundResult
{
    std::vector<std::string> done;    ///< a line each
    std::vector<std::string> trouble; ///< a line for each pool that is not well
};

/// Gives every pool what it needs now, once, one behind the other.
RoundResult look_once(const Admin& admin);

} // namespace zraid
