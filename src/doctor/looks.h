#pragma once

#include "admin/admin.h"
#include "doctor/finding.h"

#include <set>
#include <string>

#include <sys/types.h>

namespace zraid::doctor {

/// The looks that make up an examination, one concern each.
Findings look_at_kernel(const Paths& paths);
Findings look_at_programs();
Findings look_at_libvirt(const Admin& admin);
Findings look_at_udev(const Paths& paths);
Findings look_at_services(const Paths& paths);
/// Others that could get at our devices or at what guests write: LVM, zram's other users, AppArmor.
Findings look_at_neighbours(const Paths& paths);
Findings look_at_mdadm_mail(const Paths& paths);
Findings look_at_pools(const Admin& admin);
Findings look_at_memory(const Admin& admin);

/// Processes of this name (as the kernel cuts it, 15 characters).
std::set<pid_t> processes_named(const Paths& paths, const std::string& name);

} // namespace zraid::doctor
