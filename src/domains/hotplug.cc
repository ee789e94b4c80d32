#include "domains/hotplug.h"

#include "domains/pool_finder.h"
#include "mirror/hold.h"
#include "mirror/mirror.h"
#include "pools/pool_log.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/lock.h"
#include "util/log.h"

#include <algorithm>

namespace zraid {

namespace {

/// Somebody at work on a pool is waited for, as in the hook, but not by a guest.
constexpr Milliseconds kPatience{10'000};

bool has_claim(const Claims& claims, const Uuid& domain)
{
    const auto list = claims.list();
    return std::any_of(list.begin(), list.end(),
                       [&](const Claim& claim) { return claim.uuid == domain; });
}

/// A pool whose definition is broken is found under no disk, and yet a guest may be on it.
bool is_understood(const Paths& paths, const std::string& pool)
{
    try {
        PoolStore(paths).load(pool);
        return true;
    } catch (const std::exception& e) {
        log().warn("pool '{}': its users stay as they are: {}", pool, explain(e));
        return false;
    }
}

void claim_plugged(const Paths& paths, const DomainDisks& domain,
                   const std::vector<PoolDefinition>& used)
{
    const LogField about("DOMAIN", domain.name);
    for (const PoolDefinition& pool : used) {
        const Claims claims(paths, pool.name);
        if (has_claim(claims, domain.uuid))
            continue;
        const PoolLog fields(pool);
        const FileLock lock = lock_pool(paths, pool.name, kPatience);
        if (has_claim(claims, domain.uuid))
            continue;
        claims.add({domain.name, domain.uuid, 0, domain.xen});
        log().info("pool '{}': domain '{}' has a disk on it by now, it is a user", pool.name,
                   domain.name);
    }
}

void drop_unplugged(const Paths& paths, const std::vector<PoolClaim>& before,
                    const std::vector<PoolDefinition>& used)
{
    for (const auto& [name, claim] : before) {
        const auto is_this = [&pool = name](const PoolDefinition& p) { return p.name == pool; };
        if (std::any_of(used.begin(), used.end(), is_this) || !is_understood(paths, name))
            continue;
        const LogField field("POOL", name);
        const LogField about("DOMAIN", claim.domain);
        const FileLock lock = lock_pool(paths, name, kPatience);
        const Claims claims(paths, name);
        const auto now = claims.list();
        if (std::find(now.begin(), now.end(), claim) == now.end())
            continue;
        claims.remove(claim.uuid);
        if (claims.list().empty())
            set_hold(paths, name, Hold::none);
        log().info("pool '{}': domain '{}' has no disk on it any more, it is no user now", name,
                   claim.domain);
    }
}

} // namespace

std::vector<PoolClaim> claims_of_domain(const Paths& paths, const Uuid& domain)
{
    std::vector<PoolClaim> found;
    for (const std::string& pool : Claims::pools(paths)) {
        for (const Claim& claim : Claims(paths, pool).list()) {
            if (claim.uuid == domain)
                found.emplace_back(pool, claim);
        }
    }
    return found;
}

void match_claims(const Paths& paths, const std::vector<PoolClaim>& before,
                  const std::string& domain_xml)
{
    const DomainDisks domain = parse_domain(domain_xml);
    const std::vector<PoolDefinition> used = pools_of_domain(paths, domain);
    claim_plugged(paths, domain, used);
    drop_unplugged(paths, before, used);
}

} // namespace zraid
