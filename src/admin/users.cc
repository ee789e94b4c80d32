#include "admin/users.h"

#include "libvirt/connection.h"
#include "util/error.h"
#include "util/log.h"

#include <algorithm>

#include <fmt/format.h>

namespace zraid {

std::vector<Claim> dead_claims(const Admin& admin, const std::string& pool)
{
    // Listed before libvirt is asked: a domain that starts in between is in neither list.
    std::vector<Claim> claims = Claims(admin.paths, pool).list();
    if (claims.empty())
        return claims;
    try {
        const std::vector<Uuid> running = LibvirtConnection(admin.uri).running_domains();
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
        if (std::find(dead.begin(), dead.end(), now) == dead.end())
            continue;
        claims.remove(now.uuid);
        log().info("pool '{}': domain '{}' does not run any more, it is no user now", pool,
                   now.domain);
    }
}

void refuse_users(const Admin& admin, const std::string& pool)
{
    std::string names;
    for (const Claim& claim : Claims(admin.paths, pool).list())
        names += (names.empty() ? "'" : ", '") + claim.domain + "'";
    if (!names.empty())
        throw Error(fmt::format("it is used by {}", names), "shut the domains down first");
}

} // namespace zraid
