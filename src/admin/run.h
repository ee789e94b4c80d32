#pragma once

#include "admin/admin.h"
#include "mirror/fill.h"
#include "util/wait.h"

#include <functional>
#include <optional>
#include <string>

namespace zraid {

/// Assembles the array, starts libvirt's pool, and attaches the RAM leg if the pool always has it.
void start_pool(const Admin& admin, const std::string& name);

/// The same without libvirt's pool: for the boot, when libvirt is not there yet and will start its
/// pools by itself.
void start_array_of(const Admin& admin, const std::string& name);

/// Stops libvirt's pool, drops the RAM leg, stops the array; refuses while the pool has users.
void stop_pool(const Admin& admin, const std::string& name);

/// The same without libvirt's pool: for the host's shutdown, when libvirt is gone already. Asks
/// nobody whether a domain that is noted as a user still runs: the pool stays up for it.
void stop_array_of(const Admin& admin, const std::string& name);

/// The RAM leg is a member; the kernel fills it. The array must be there.
void attach_pool(const Admin& admin, const std::string& name);

/// The RAM leg is gone, also under a running domain, which goes on from the disk leg.
void detach_pool(const Admin& admin, const std::string& name);

/// Waits until the pool is mirrored.
/// @param limit nothing: as long as it takes
/// @param show called at least twice a second while the RAM leg is filled
/// @throws Error if there is no RAM leg, or it got lost, or the time is up
void wait_pool(const Admin& admin, const std::string& name, std::optional<Milliseconds> limit,
               const std::function<void(const FillProgress&)>& show);

} // namespace zraid
