#pragma once

#include "mirror/claims.h"
#include "util/paths.h"

#include <string>
#include <utility>
#include <vector>

namespace zraid {

/// A claim of one domain, and the pool that it is on.
using PoolClaim = std::pair<std::string, Claim>;

std::vector<PoolClaim> claims_of_domain(const Paths& paths, const Uuid& domain);

/// libvirt calls no hook when a disk is plugged into a running domain, or taken out of it. Who
/// hears of that otherwise calls this: the domain becomes a user of the pools that its disks lie on
/// by now, and is none any more of those that none of its disks lies on. What follows from a claim,
/// the RAM leg, is for whoever looks after the pool. Logs what it did; neither waits long for a
/// lock, nor calls libvirt.
/// @param before the domain's claims from before the XML was asked for: one that was made later
/// says more than the XML, and stays
/// @param domain_xml of a running domain
/// @throws Error if the XML or a definition is broken, LockTimeout if a pool is at work
void match_claims(const Paths& paths, const std::vector<PoolClaim>& before,
                  const std::string& domain_xml);

} // namespace zraid
