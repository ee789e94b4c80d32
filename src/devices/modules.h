#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace zraid {

/// Loads a kernel module with modprobe(8) unless what it brings is there already.
/// @param sign a file or folder that exists once the module works (also where it is built in)
/// @throws Error if the sign does not appear
void load_module_unless(const std::string& module, const std::filesystem::path& sign,
                        const std::vector<std::string>& options = {});

} // namespace zraid
