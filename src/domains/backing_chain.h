#pragma once

#include "domains/domain_xml.h"
#include "util/paths.h"

#include <vector>

namespace zraid {

/// The sources of a domain with all that their images stand on. libvirt calls the hook before it
/// has looked, and what is kept of a domain does not say it either. Follows only what the XML or a
/// header calls an overlay, to a depth of 64; volumes of libvirt's own pools of files are found by
/// the pools' definitions.
std::vector<DiskSource> with_backing_chains(const Paths& paths,
                                            const std::vector<DiskSource>& sources);

} // namespace zraid
