#pragma once

#include "admin/admin.h"

namespace zraid {

/// Hears from libvirt of disks that are plugged into running domains, or taken out, and makes or
/// drops their claims; the keepers of the pools see to the rest. Works while libvirt's daemon runs,
/// and tries again when it does not. Never returns, and holds no lock while it waits for libvirt.
/// To be called in a thread of its own.
[[noreturn]] void watch_plugs(const Admin& admin);

} // namespace zraid
