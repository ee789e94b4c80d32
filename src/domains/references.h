#pragma once

#include "pools/definition.h"
#include "util/paths.h"

#include <set>
#include <string>
#include <vector>

namespace zraid {

/// What libvirt's domains, running or shut off, still name. Read from libvirt's own files (of QEMU
/// and Xen), which are there when its daemon is not. Of a domain that cannot be read nothing is
/// known, which is told in the log.

/// md numbers that some domain names, by a path or a link, in whatever layer of an image, or as a
/// volume of a storage pool: none of them may become another pool's.
std::set<int> md_numbers_of_domains(const Paths& paths);

/// Names of the domains that have something of a pool.
std::vector<std::string> domains_on_pool(const Paths& paths, const PoolDefinition& pool);

/// Names of the domains that have this volume, by any of its names.
std::vector<std::string> domains_on_volume(const Paths& paths, const PoolDefinition& pool,
                                           const std::string& volume);

/// @throws Error if there are any domains
/// @param subject what they name: "pool 'a'"
void refuse_references(const std::vector<std::string>& domains, const std::string& subject);

} // namespace zraid
