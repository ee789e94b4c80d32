#pragma once

#include "util/paths.h"

#include <filesystem>
#include <string>
#include <vector>

namespace zraid {

/// Has systemd start each pool with autostart at boot, as zraid-pool@NAME.service, once the mount
/// is there that its image lies on (systemd.generator(7), RequiresMountsFor= in systemd.unit(5)),
/// or the device that its image is; that is waited for half a minute at most.
/// At the end zraid-pools.service comes before the unmounting of any pool's image.
/// @param folder systemd's for generated units; what is there already is written anew
/// @param unit_folder where zraid-pool@.service is
/// @return in one line each: pools that were left out, and why
/// @throws Error if the folder cannot be written
std::vector<std::string> write_boot_units(const Paths& paths, const std::filesystem::path& folder,
                                          const std::filesystem::path& unit_folder);

/// Has systemd look again at what write_boot_units() makes of the definitions: a pool that was
/// defined since the boot has to be stopped in order, too. Nothing happens where systemd does not
/// run the host. What fails is logged: it does the pool no harm before the host shuts down.
void renew_boot_units(const Paths& paths) noexcept;

} // namespace zraid
