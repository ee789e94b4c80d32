#include "libvirt/session.h"

#include "libvirt/library.h"
#include "util/error.h"

#include <cstdlib>

#include <fmt/core.h>
#include <libvirt/virterror.h>

namespace zraid {

void fail_libvirt(const std::string& what, std::string next)
{
    const virError* error = libvirt().virGetLastError();
    throw Error(
        fmt::format("libvirt: {}: {}", what, error && error->message ? error->message : "?"),
        std::move(next));
}

void quiet_libvirt()
{
    libvirt().virSetErrorFunc(nullptr, [](void* /*context*/, virErrorPtr /*error*/) {});
}

LibvirtSession open_libvirt(const std::string& uri, std::string next)
{
    quiet_libvirt();
    LibvirtSession session(libvirt().virConnectOpen(uri.c_str()), libvirt().virConnectClose);
    if (!session)
        fail_libvirt(fmt::format("connect to {}", uri), std::move(next));
    return session;
}

std::vector<DomainHandle> list_domains(const LibvirtSession& session, unsigned flags)
{
    virDomainPtr* list = nullptr;
    const int count = libvirt().virConnectListAllDomains(session.get(), &list, flags);
    if (count < 0)
        fail_libvirt("list the domains");
    std::vector<DomainHandle> handles;
    for (int i = 0; i < count; ++i)
        handles.emplace_back(list[i], libvirt().virDomainFree); // NOLINT(*-pointer-arithmetic)
    std::free(list);                                            // NOLINT(*-no-malloc)
    return handles;
}

std::vector<Uuid> list_running_domains(const LibvirtSession& session)
{
    std::vector<Uuid> running;
    for (const DomainHandle& domain : list_domains(session, VIR_CONNECT_LIST_DOMAINS_ACTIVE))
        running.push_back(uuid_of_domain(domain.get()));
    return running;
}

Uuid uuid_of_domain(virDomainPtr domain)
{
    Uuid::Bytes bytes{};
    if (libvirt().virDomainGetUUID(domain, bytes.data()) < 0)
        fail_libvirt("get a domain's UUID");
    return Uuid(bytes);
}

} // namespace zraid
