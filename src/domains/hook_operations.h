#pragma once

#include "util/paths.h"

#include <string>
#include <string_view>

namespace zraid {

/// What an operation of libvirt's qemu hook means for zraid (https://libvirt.org/hooks.html).
enum class HookAction
{
    none,
    prepare,   ///< "prepare begin": claim the pools, bring up arrays and RAM legs
    release,   ///< "release end": give them back
    reconnect, ///< "reconnect begin": the daemon came back and found the domain running
};

HookAction hook_action(std::string_view operation, std::string_view sub_operation);

/// Claims and attaches every pool that the domain uses. A RAM leg that cannot be had is a warning,
/// unless the pool requires it; the VM runs from the disk leg.
/// @throws Error if an array cannot be had. libvirt then calls release.
void prepare_domain(const Paths& paths, const std::string& domain_xml);

/// The same for a domain that runs already: what an administrator detached by hand stays so, and no
/// pool requires anything.
void reconnect_domain(const Paths& paths, const std::string& domain_xml);

/// Drops the domain's claims, whatever its XML says by now; the last one out detaches the RAM leg.
/// @param domain_name used where the XML cannot be read
/// @throws Error after all pools were tried
void release_domain(const Paths& paths, const std::string& domain_name,
                    const std::string& domain_xml);

} // namespace zraid
