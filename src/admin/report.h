#pragma once

#include "admin/admin.h"
#include "devices/zram.h"
#include "memory/budget.h"
#include "mirror/claims.h"
#include "mirror/fill.h"
#include "mirror/state.h"
#include "util/json.h"

#include <optional>
#include <string>
#include <vector>

namespace zraid {

/// Everything there is to tell about one pool. Gathered without any change to the system.
struct PoolReport
{
    std::string name;
    std::string problem; ///< the definition is broken; nothing else is known then
    PoolDefinition definition;
    PoolView view;
    std::string ram_compressor;
    std::string ram_fill;              ///< "sparse", "full" or empty: not known
    std::optional<FillProgress> fill;  ///< while the RAM leg is filled
    std::optional<ZramStatistics> ram; ///< of the RAM leg, if it is attached
    std::string attach_problem;        ///< why there is no RAM leg, if there should be one
    std::vector<Claim> users;
};

/// Memory of all pools together; bytes.
struct BudgetReport
{
    struct Pool
    {
        std::string name;
        std::string state;
        RamUse use;               ///< taken: 0 while there is no RAM leg
        std::uint64_t table = 0;  ///< of what is taken
        std::uint64_t stored = 0; ///< the same
        bool fits = false;        ///< attached, or would be admitted now
    };
    MemoryInfo memory;
    std::uint64_t room = 0; ///< what one more RAM leg may take at worst
    std::vector<Pool> pools;
};

/// What is wrong with a pool's legs, and what to do, in one line; empty: nothing.
std::string trouble_of(const PoolView& view);

PoolReport report_pool(const Admin& admin, const std::string& name);
std::vector<PoolReport> report_all(const Admin& admin);
BudgetReport report_budget(const Admin& admin);

/// The fields are an interface, described in zraid-pool(8).
Json to_json(const PoolReport& report);
Json to_json(const BudgetReport& report);

} // namespace zraid
