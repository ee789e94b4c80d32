#pragma once

#include "domains/domain_xml.h"
#include "pools/definition.h"
#include "util/paths.h"

#include <vector>

namespace zraid {

/// Follows links by their text, also one whose target is missing: the name of an array that is not
/// assembled yet is in it.
std::string follow_links(std::string path);

/// The pools that a domain's disks lie on, each once, sorted by name. Reads no definition, and
/// looks at no device, before something hints at an md array or a pool's name.
/// @throws Error if the definition of a pool that is needed is broken
std::vector<PoolDefinition> pools_of_domain(const Paths& paths, const DomainDisks& domain);

} // namespace zraid
