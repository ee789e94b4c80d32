#pragma once

#include "admin/admin.h"
#include "mirror/claims.h"

#include <string>
#include <vector>

namespace zraid {

/// Claims whose domain does not run, says libvirt; none if libvirt cannot be asked: doubt keeps a
/// claim. To be called without the pool's lock: libvirt holds the lock of a domain while its hook
/// waits for that of the pool.
std::vector<Claim> dead_claims(const Admin& admin, const std::string& pool);

/// Drops those claims unless they were renewed meanwhile. To be called with the pool's lock.
void drop_claims(const Admin& admin, const std::string& pool, const std::vector<Claim>& dead);

/// @param dead claims that do not count
/// @throws Error that names the users, if there are any
void refuse_users(const Admin& admin, const std::string& pool, const std::vector<Claim>& dead = {});

} // namespace zraid
