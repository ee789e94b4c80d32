#pragma once

#include "util/uuid.h"

#include <memory>
#include <string>
#include <vector>

#include <libvirt/libvirt.h>

namespace zraid {

/// What all that talks to libvirt begins with.
using LibvirtSession = std::unique_ptr<virConnect, int (*)(virConnectPtr)>;

using DomainHandle = std::unique_ptr<virDomain, int (*)(virDomainPtr)>;

/// Throws what libvirt says of its last call in this thread.
/// @param what was tried
/// @param next what the administrator can do
/// @throws Error always
[[noreturn]] void fail_libvirt(const std::string& what, std::string next = {});

/// libvirt prints no errors by itself: by default every one goes to stderr, also those that we
/// expect.
void quiet_libvirt();

/// @param uri such as "qemu:///system"
/// @param next what the administrator can do where the daemon cannot be reached
/// @throws Error
LibvirtSession open_libvirt(const std::string& uri, std::string next = {});

/// @param flags of virConnectListAllDomains; 0: all of them
/// @throws Error
std::vector<DomainHandle> list_domains(const LibvirtSession& session, unsigned flags);
/// UUIDs of the domains that run.
std::vector<Uuid> list_running_domains(const LibvirtSession& session);
Uuid uuid_of_domain(virDomainPtr domain);

} // namespace zraid
