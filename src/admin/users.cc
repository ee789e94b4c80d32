#include "admin/users.h"

#include "libvirt/connection.h"
#include "util/error.h"
#include "util/log.h"
#include "util/log_fields.h"

#include <algorithm>
#include <set>

#include <fmt/core.h>

namespace zraid {

namespace {

constexpr const char* kXenUri = "xen:///system";

/// A host may run domains of QEMU and of Xen; only those drivers are asked that have a claim.
std::vector<Uuid> running_domains(const Admin& admin, const std::vector<Claim>& claims)
{
    std::set<std::string> uris;
    for (const Claim& claim : claims)
        uris.insert(claim.xen ? kXenUri : admin.uri);
    std::vector<Uuid> running;
    for (const std::string& uri : uris) {
        const auto domains = LibvirtConnection(uri).running_domains();
        running.insert(running.end(), domains.begin(), domains.end());
    }
    return running;
}

bool is_among(const std::vector<Claim>& claims, const Claim& claim)
{
    return std::find(claims.begin(), claims.end(), claim) != claims.end();
}

} // namespace

std::vector<Claim> dead_claims(const Admin& admin, const std::string& pool)
{
    // Listed before libvirt is asked: a domain that starts in between is in neither list.
    std::vector<Claim> claims = Claims(admin.paths, pool).list();
    if (claims.empty())
        return claims;
    try {
        const std::vector<Uuid> running = running_domains(admin, claims);
        std::erase_if(claims, [&](const Claim& claim) {
            return std::find(running.begin(), running.end(), claim.uuid) != running.end();
        });
        return claims;
    } catch (const std::exception& e) {
        log().info("pool '{}': all its users are taken for running: {}", pool, explain(e));
        return {};
    }
}

void drop_claims(const Admin& admin, const std::string& pool, const std::vector<Claim>& dead)
{
    const Claims claims(admin.paths, pool);
    for (const Claim& now : claims.list()) {
        if (!is_among(dead, now))
            continue;
        claims.remove(now.uuid);
        const LogField field("DOMAIN", now.domain);
        log().info("pool '{}': domain '{}' does not run any more, it is no user now", pool,
                   now.domain);
    }
}

void refuse_users(const Admin& admin, const std::string& pool, const std::vector<Claim>& dead)
{
    std::string names;
    for (const Claim& claim : Claims(admin.paths, pool).list()) {
        if (!is_among(dead, claim))
            names += (names.empty() ? "'" : ", '") + claim.domain + "'";
    }
    if (!names.empty())
        throw Error(fmt::format("it is used by {}", names), "shut the domains down first");
}

} // namespace zraid
