#pragma once

#include "libvirt/session.h"
#include "util/uuid.h"
#include "util/wait.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace zraid {

/// Hears from libvirt's daemon of devices that are plugged
/// (https://libvirt.org/html/libvirt-libvirt-domain.html, VIR_DOMAIN_EVENT_ID_DEVICE_ADDED). Of
/// libvirt's event loop there is one in a process, so all of these live in one thread.
class DeviceEvents
{
public:
    /// @throws Error if the daemon cannot be reached, or has no such events
    explicit DeviceEvents(const std::string& uri);
    ~DeviceEvents();
    DeviceEvents(const DeviceEvents&) = delete;
    DeviceEvents& operator=(const DeviceEvents&) = delete;
    DeviceEvents(DeviceEvents&&) = delete;
    DeviceEvents& operator=(DeviceEvents&&) = delete;

    /// Waits until a device came to a running domain, or left it, as long as it takes.
    /// @return those domains; empty: the connection is lost
    std::vector<Uuid> wait();

    /// Does what the event loop has to do for a while, without a connection: those of other
    /// threads end there.
    static void rest(Milliseconds time);

    std::vector<Uuid> running_domains() const;
    /// What a domain is like now; nothing if it does not run.
    std::optional<std::string> running_xml(const Uuid& domain) const;

private:
    static void changed(virConnectPtr connection, virDomainPtr domain, const char* alias,
                        void* self);
    static void closed(virConnectPtr connection, int reason, void* self);
    void note(virDomainPtr domain);
    void listen(int event);

    LibvirtSession connection_;
    std::vector<int> callbacks_;
    std::vector<Uuid> changed_; ///< whom nobody has heard of yet
    bool lost_ = false;
};

} // namespace zraid
