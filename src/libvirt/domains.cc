#include "libvirt/domains.h"

#include "libvirt/library.h"

#include <cstdlib>

#include <fmt/core.h>
#include <libvirt/virterror.h>

namespace zraid {

namespace {

/// The answer of a call that gives a negative number for a failure.
int ask(int answer, const std::string& domain)
{
    if (answer < 0)
        fail_libvirt(fmt::format("look at domain '{}'", domain));
    return answer;
}

} // namespace

LibvirtDomains::LibvirtDomains(const std::string& uri)
    : connection_(open_libvirt(uri, "start libvirt's daemon (systemctl start libvirtd)"))
{
}

std::optional<LibvirtDomain> LibvirtDomains::find(const std::string& name) const
{
    DomainHandle domain(libvirt().virDomainLookupByName(connection_.get(), name.c_str()),
                        libvirt().virDomainFree);
    if (!domain)
        domain.reset(libvirt().virDomainLookupByUUIDString(connection_.get(), name.c_str()));
    if (!domain) {
        const virError* error = libvirt().virGetLastError();
        // A name that is no UUID is an invalid argument of the second call.
        if (error && (error->code == VIR_ERR_NO_DOMAIN || error->code == VIR_ERR_INVALID_ARG))
            return std::nullopt;
        fail_libvirt(fmt::format("find domain '{}'", name));
    }
    LibvirtDomain found;
    found.name = libvirt().virDomainGetName(domain.get());
    found.uuid = uuid_of_domain(domain.get());
    found.running = ask(libvirt().virDomainIsActive(domain.get()), found.name) == 1;
    found.persistent = ask(libvirt().virDomainIsPersistent(domain.get()), found.name) == 1;
    found.saved = ask(libvirt().virDomainHasManagedSaveImage(domain.get(), 0), found.name) == 1;
    found.snapshots =
        ask(libvirt().virDomainSnapshotNum(domain.get(), 0), found.name) +
        ask(libvirt().virDomainListAllCheckpoints(domain.get(), nullptr, 0), found.name);
    // Defined again without its passwords, it would have none.
    const std::unique_ptr<char, decltype(&std::free)> xml(
        libvirt().virDomainGetXMLDesc(domain.get(),
                                      VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE),
        std::free);
    if (!xml)
        fail_libvirt(fmt::format("read the XML of domain '{}'", found.name));
    found.xml = xml.get();
    return found;
}

void LibvirtDomains::define(const std::string& xml) const
{
    const DomainHandle domain(libvirt().virDomainDefineXMLFlags(connection_.get(), xml.c_str(), 0),
                              libvirt().virDomainFree);
    if (!domain)
        fail_libvirt("define the domain");
}

} // namespace zraid
