#include "monitor/plugs.h"

#include "domains/hotplug.h"
#include "libvirt/device_events.h"
#include "util/error.h"
#include "util/log.h"
#include "util/wait.h"

#include <algorithm>
#include <array>

namespace zraid {

namespace {

constexpr Milliseconds kAgain{5'000};

/// To connect is to start a daemon that systemd starts when it is asked for, also one that the
/// administrator has just stopped: it has to be there by itself.
bool libvirt_runs(const Paths& paths)
{
    constexpr std::array files{"libvirtd.pid", "virtqemud.pid", "virtxend.pid"};
    return std::any_of(files.begin(), files.end(), [&](const char* file) {
        std::error_code code;
        return std::filesystem::exists(paths.host_run / file, code);
    });
}

/// Makes the claims of a running domain those of its disks, whichever of them came or went. What
/// cannot be done for one domain keeps no other from its own.
void look_at(const Admin& admin, const DeviceEvents& libvirt, const Uuid& domain)
{
    try {
        const auto before = claims_of_domain(admin.paths, domain);
        const auto xml = libvirt.running_xml(domain);
        if (!xml)
            return; // the hook has dropped its claims, or will
        match_claims(admin.paths, before, *xml);
    } catch (const std::exception& e) {
        log().warn("the disks of a running domain have changed: {}", explain(e));
    }
}

/// As long as the daemon runs.
void listen(const Admin& admin)
{
    DeviceEvents libvirt(admin.uri);
    log().debug("libvirt tells of disks that are plugged");
    for (const Uuid& domain : libvirt.running_domains()) // what was changed meanwhile
        look_at(admin, libvirt, domain);
    for (auto domains = libvirt.wait(); !domains.empty(); domains = libvirt.wait()) {
        for (const Uuid& domain : domains)
            look_at(admin, libvirt, domain);
    }
}

} // namespace

void watch_plugs(const Admin& admin)
{
    for (std::string last_error;; DeviceEvents::rest(kAgain)) {
        if (!libvirt_runs(admin.paths))
            continue;
        try {
            listen(admin);
            last_error.clear();
        } catch (const std::exception& e) {
            const std::string text = explain(e);
            if (text != last_error)
                log().info("disks that are plugged into running domains are not seen: {}", text);
            last_error = text;
        }
    }
}

} // namespace zraid
