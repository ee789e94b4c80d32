#pragma once

#include "libvirt/session.h"
#include "util/uuid.h"

#include <optional>
#include <string>

namespace zraid {

/// A domain as it is defined.
struct LibvirtDomain
{
    std::string name;
    Uuid uuid;
    bool running = false;
    bool persistent = false;
    bool saved = false; ///< its memory is in a file: virsh managedsave
    int snapshots = 0;  ///< … and checkpoints
    std::string xml;    ///< of the next start, with its passwords
};

/// Definitions of libvirt's domains, which a LibvirtConnection only lists.
class LibvirtDomains
{
public:
    /// @param uri such as "qemu:///system"
    /// @throws Error if the daemon cannot be reached
    explicit LibvirtDomains(const std::string& uri);

    /// @param name or UUID
    /// @return nothing if there is no such domain
    std::optional<LibvirtDomain> find(const std::string& name) const;
    /// Defines a domain, also one that is there: what it says counts from the next start on.
    void define(const std::string& xml) const;

private:
    LibvirtSession connection_;
};

} // namespace zraid
