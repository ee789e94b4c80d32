#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace zraid {

/// The configuration file of ZRAM-RAID, zramraid.conf (zraid.conf in its older versions): JSON,
///
///     { "limit_free_mem": { "size": "90", "value_size": "%" },
///       "md": [ { "id": "1", "info": "'mail'", "image": "/kvm/disk1.img" } ] }
///
/// `value_size` is "%" (of the memory that is free) or "Kb". "90%" and "1024Kb" are read as well,
/// and ids "md1" and 1.
struct ZramRaidConfig
{
    struct Array
    {
        int md_number = -1; ///< -1: `problem` says why
        std::string image;
        std::string info;
        std::string problem;
    };

    std::string memory_limit; ///< as zraid.conf has it, "90%" or "1024KiB"; empty: none
    std::vector<Array> arrays;
    std::vector<std::string> warnings; ///< what is not taken over
};

/// @param source the file's name, for messages
/// @throws Error if it is no such configuration
ZramRaidConfig parse_zram_raid_config(const std::string& text, const std::string& source);

/// @throws Error, also if everybody may write to the file
ZramRaidConfig load_zram_raid_config(const std::filesystem::path& file);

} // namespace zraid
