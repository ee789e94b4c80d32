#pragma once

#include "pools/definition.h"
#include "util/paths.h"

#include <string>

namespace zraid {

/// What an administrator said by hand about a pool's RAM leg, which nothing automatic undoes. It is
/// forgotten when the last domain that uses the pool is gone, when the pool stops, and at a reboot.
enum class Hold
{
    none,
    attached, ///< there is to be a RAM leg, though no domain runs
    detached, ///< there is to be none, though a domain runs
};

Hold hold_of(const Paths& paths, const std::string& pool);
void set_hold(const Paths& paths, const std::string& pool, Hold hold);

/// Should the pool have a RAM leg now? By hold, policy, and claims, in this order.
bool wants_ram(const Paths& paths, const PoolDefinition& pool);

} // namespace zraid
