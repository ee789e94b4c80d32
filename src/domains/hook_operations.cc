#include "domains/hook_operations.h"

#include "domains/pool_finder.h"
#include "layout/layout.h"
#include "mirror/claims.h"
#include "mirror/hold.h"
#include "mirror/mirror.h"
#include "pools/pool_log.h"
#include "pools/stable_name.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/log.h"

#include <algorithm>
#include <functional>

#include <fmt/core.h>

namespace zraid {

namespace {

std::string pool_context(const std::string& pool)
{
    return fmt::format("pool '{}'", pool);
}

void claim(const Paths& paths, const PoolDefinition& pool, const DomainDisks& domain)
{
    try {
        Claims(paths, pool.name).add({domain.name, domain.uuid, 0, domain.xen});
    } catch (const std::exception& e) {
        // Without it the RAM leg may go while the domain runs: slower, nothing worse.
        log().warn("pool '{}': domain '{}' could not be noted as a user: {}", pool.name,
                   domain.name, explain(e));
    }
}

/// The domain's paths below /dev/zraid lead somewhere as soon as the array is there.
void make_stable_names(const Paths& paths, const PoolDefinition& pool, const DomainDisks& domain)
{
    const auto layout = layout_of(paths, pool);
    for (const DiskSource& source : domain.sources) {
        try {
            make_stable_name(paths, pool, source.path);
            layout->make_volume_link(source.path);
        } catch (const Error&) { // it leads to what is not the pool's
            throw;
        } catch (const std::exception& e) {
            log().warn("pool '{}': {}", pool.name, explain(e));
        }
    }
}

/// @param starts the domain does not run yet
void prepare_pool(const Paths& paths, const PoolDefinition& pool, const DomainDisks& domain,
                  bool starts)
{
    const PoolLog fields(pool);
    const FileLock lock = lock_pool(paths, pool.name);
    claim(paths, pool, domain);
    // Whoever detached it by hand did so for the domains that ran then.
    if (starts && hold_of(paths, pool.name) == Hold::detached)
        set_hold(paths, pool.name, Hold::none);
    Mirror mirror(paths, pool, lock);
    mirror.assemble();
    make_stable_names(paths, pool, domain);
    if (!wants_ram(paths, pool))
        return;
    if (pool.settings.ram_required && starts)
        in_context("the pool requires its RAM leg", [&] { mirror.attach(); });
    else
        attach_if_possible(paths, mirror, pool.name);
}

void prepare_pools(const Paths& paths, const std::string& domain_xml, bool starts)
{
    const DomainDisks domain = parse_domain(domain_xml);
    for (const PoolDefinition& pool : pools_of_domain(paths, domain))
        in_context(pool_context(pool.name), [&] { prepare_pool(paths, pool, domain, starts); });
}

/// Which domain a release is about; its name is enough to find its claims.
std::function<bool(const Claim&)> claims_of(const std::string& name, const std::string& xml)
{
    try {
        const Uuid uuid = parse_domain(xml).uuid;
        return [uuid](const Claim& claim) { return claim.uuid == uuid; };
    } catch (const std::exception& e) {
        log().warn("domain '{}' is released by its name: {}", name, explain(e));
        return [name](const Claim& claim) { return claim.domain == name; };
    }
}

/// No domain uses the pool any more.
/// @param lock the pool's
/// @param was_used by the domain that is released
void end_use(const Paths& paths, const std::string& name, const FileLock& lock, bool was_used)
{
    const PoolStore store(paths);
    if (!store.contains(name))
        return;
    const PoolDefinition pool = store.load(name);
    if (was_used)
        set_hold(paths, name, Hold::none);
    else if (wants_ram(paths, pool))
        return;
    Mirror mirror(paths, pool, lock);
    if (mirror.view().state() == PoolState::ram_only) {
        // The disk leg may be back by now. md copies to it while nobody waits; the RAM leg stays.
        in_context("the RAM leg stays up, it holds the only good copy", [&] { mirror.repair(); });
        throw Error("the RAM leg stays up until the disk leg has what it missed",
                    fmt::format("zraid-pool detach {} when zraid-pool info says mirrored", name));
    }
    if (pool.settings.attach == AttachPolicy::on_demand)
        mirror.detach();
}

void release_pool(const Paths& paths, const std::string& name,
                  const std::function<bool(const Claim&)>& is_domain)
{
    const LogField field("POOL", name);
    const Claims claims(paths, name);
    // Where there is none at all, somebody was killed in the middle.
    if (const auto before = claims.list();
        !before.empty() && std::none_of(before.begin(), before.end(), is_domain))
        return;
    const FileLock lock = lock_pool(paths, name);
    std::vector<Claim> ended = claims.list();
    const auto others = std::partition(ended.begin(), ended.end(), is_domain);
    const bool is_last = others == ended.end();
    ended.erase(others, ended.end());
    // Last: by its claim a release that was killed is found by the next one.
    const auto forget = [&] {
        for (const Claim& claim : ended)
            claims.remove(claim.uuid);
        claims.tidy();
    };
    try {
        if (is_last)
            end_use(paths, name, lock, !ended.empty());
    } catch (...) { // the domain is gone all the same
        forget();
        throw;
    }
    forget();
}

} // namespace

HookAction hook_action(std::string_view operation, std::string_view sub_operation)
{
    if (operation == "prepare" && sub_operation == "begin")
        return HookAction::prepare;
    if (operation == "release" && sub_operation == "end")
        return HookAction::release;
    if (operation == "reconnect" && sub_operation == "begin")
        return HookAction::reconnect;
    return HookAction::none;
}

void prepare_domain(const Paths& paths, const std::string& domain_xml)
{
    prepare_pools(paths, domain_xml, true);
}

void reconnect_domain(const Paths& paths, const std::string& domain_xml)
{
    prepare_pools(paths, domain_xml, false);
}

void release_domain(const Paths& paths, const std::string& domain_name,
                    const std::string& domain_xml)
{
    const std::vector<std::string> pools = Claims::pools(paths);
    if (pools.empty())
        return;
    const auto is_domain = claims_of(domain_name, domain_xml);
    std::string problems;
    for (const std::string& pool : pools) {
        try {
            in_context(pool_context(pool), [&] { release_pool(paths, pool, is_domain); });
        } catch (const std::exception& e) {
            problems += (problems.empty() ? "" : "; ") + explain(e);
        }
    }
    if (!problems.empty())
        throw Error(problems);
}

} // namespace zraid
