#include "libvirt/session.h"

#include "util/error.h"

#include <fmt/format.h>
#include <libvirt/virterror.h>

namespace zraid {

void fail_libvirt(const std::string& what, std::string next)
{
    const virError* error = virGetLastError();
    throw Error(
        fmt::format("libvirt: {}: {}", what, error && error->message ? error->message : "?"),
        std::move(next));
}

void quiet_libvirt()
{
    virSetErrorFunc(nullptr, [](void* /*context*/, virErrorPtr /*error*/) {});
}

LibvirtSession open_libvirt(const std::string& uri, std::string next)
{
    quiet_libvirt();
    LibvirtSession session(virConnectOpen(uri.c_str()), virConnectClose);
    if (!session)
        fail_libvirt(fmt::format("connect to {}", uri), std::move(next));
    return session;
}

} // namespace zraid
