#include "libvirt/device_events.h"

#include "libvirt/library.h"
#include "libvirt/session.h"
#include "util/error.h"

#include <cstdlib>
#include <mutex>
#include <utility>

#include <fmt/core.h>
#include <libvirt/virterror.h>

namespace zraid {

namespace {

/// To be there before the first connection that is to tell events.
void make_event_loop()
{
    static std::once_flag made;
    std::call_once(made, [] {
        quiet_libvirt();
        if (libvirt().virEventRegisterDefaultImpl() < 0)
            fail_libvirt("make an event loop");
    });
}

} // namespace

DeviceEvents::DeviceEvents(const std::string& uri) : connection_(nullptr, libvirt().virConnectClose)
{
    make_event_loop();
    connection_ = open_libvirt(uri);
    if (libvirt().virConnectRegisterCloseCallback(connection_.get(), closed, this, nullptr) < 0)
        fail_libvirt("ask to be told of the connection's end");
    listen(VIR_DOMAIN_EVENT_ID_DEVICE_ADDED);
    listen(VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED);
}

DeviceEvents::~DeviceEvents()
{
    if (!connection_)
        return;
    for (const int callback : callbacks_)
        libvirt().virConnectDomainEventDeregisterAny(connection_.get(), callback);
    libvirt().virConnectUnregisterCloseCallback(connection_.get(), closed);
}

/// @param event one of those that tell of a device
void DeviceEvents::listen(int event)
{
    // libvirt casts it back to what belongs to the event. By way of void(), which gcc takes for
    // "any function".
    auto* generic = reinterpret_cast<virConnectDomainEventGenericCallback>(
        reinterpret_cast<void (*)()>(&DeviceEvents::changed));
    const int number = libvirt().virConnectDomainEventRegisterAny(connection_.get(), nullptr, event,
                                                                  generic, this, nullptr);
    if (number < 0)
        fail_libvirt("ask to be told of plugged devices");
    callbacks_.push_back(number);
}

void DeviceEvents::changed(virConnectPtr /*connection*/, virDomainPtr domain, const char* /*alias*/,
                           void* self)
{
    static_cast<DeviceEvents*>(self)->note(domain);
}

void DeviceEvents::closed(virConnectPtr /*connection*/, int /*reason*/, void* self)
{
    static_cast<DeviceEvents*>(self)->lost_ = true;
}

/// Called by libvirt, in the middle of the event loop: what follows from it has to wait.
void DeviceEvents::note(virDomainPtr domain)
{
    try {
        changed_.push_back(uuid_of_domain(domain));
    } catch (const std::exception&) { // no memory: all domains are looked at after a new connection
        lost_ = true;
    }
}

void DeviceEvents::rest(Milliseconds time)
{
    make_event_loop();
    bool over = false;
    const auto end = [](int /*timer*/, void* flag) { *static_cast<bool*>(flag) = true; };
    const int timer =
        libvirt().virEventAddTimeout(static_cast<int>(time.count()), end, &over, nullptr);
    if (timer < 0)
        fail_libvirt("wait for a while");
    while (!over) {
        if (libvirt().virEventRunDefaultImpl() < 0)
            fail_libvirt("wait for events");
    }
    libvirt().virEventRemoveTimeout(timer);
}

std::vector<Uuid> DeviceEvents::wait()
{
    while (changed_.empty() && !lost_) {
        if (libvirt().virEventRunDefaultImpl() < 0)
            fail_libvirt("wait for events");
    }
    return lost_ ? std::vector<Uuid>{} : std::exchange(changed_, {});
}

std::vector<Uuid> DeviceEvents::running_domains() const
{
    return list_running_domains(connection_);
}

std::optional<std::string> DeviceEvents::running_xml(const Uuid& domain) const
{
    const DomainHandle found(
        libvirt().virDomainLookupByUUIDString(connection_.get(), domain.text().c_str()),
        libvirt().virDomainFree);
    if (!found || libvirt().virDomainIsActive(found.get()) != 1)
        return std::nullopt;
    const std::unique_ptr<char, decltype(&std::free)> xml(
        libvirt().virDomainGetXMLDesc(found.get(), 0), std::free);
    if (!xml)
        return std::nullopt;
    return xml.get();
}

} // namespace zraid
