#pragma once

#include "util/uuid.h"

#include <string>
#include <vector>

namespace zraid {

/// Where one image of a domain lies: a path, or a volume of a libvirt pool.
struct DiskSource
{
    std::string path; ///< of <source dev=>, <source file=> and the like; empty for a volume
    std::string pool; ///< of <source pool= volume=>
    std::string volume;
    /// Of an image below which libvirt has not looked yet; else empty. As it was told, never
    /// guessed.
    std::string format{};

    bool operator==(const DiskSource&) const = default;
};

/// What zraid needs of a domain (https://libvirt.org/formatdomain.html).
struct DomainDisks
{
    std::string name;
    Uuid uuid;
    bool xen = false; ///< of libvirt's libxl driver
    /// Of all disks and their backing chains, and of everything else that the domain opens: folders
    /// that it shares, firmware, kernel.
    std::vector<DiskSource> sources;
};

/// Largest domain XML that is looked at, bytes: libvirt's own limit for a string is 4 MiB
/// (REMOTE_STRING_MAX).
inline constexpr std::size_t kMaxDomainXml = std::size_t{8} << 20U;

/// @param xml as libvirt hands it to a hook
/// @throws Error if it is no domain XML. A document type declaration is refused: libvirt writes
/// none.
DomainDisks parse_domain(const std::string& xml);

} // namespace zraid
