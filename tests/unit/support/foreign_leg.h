#pragma once

#include "devices/superblock_bytes.h"
#include "support/recorded_leg.h"

#include <string>

namespace zraid::test {

/// Makes the superblock's checksum right again.
inline void sign(std::string& leg)
{
    const MdBytes page(reinterpret_cast<std::uint8_t*>(&leg.at(kMdSuperblockOffset)), 4096);
    patch(leg, LegOffset::checksum, 4, md_checksum(page));
}

/// First MiB of a leg as ZRAM-RAID's mdadm makes it: device 1 in slot 1, no bitmap, an empty
/// bad-block list. The array has 63 MiB.
inline std::string foreign_leg(const std::string& name = "host:0")
{
    std::string leg = recorded_leg();
    patch(leg, LegOffset::feature_map, 4, 0);
    patch(leg, LegOffset::bitmap_offset, 4, 0);
    leg.replace(LegOffset::set_name, 32, name + std::string(32 - name.size(), '\0'));
    patch(leg, LegOffset::dev_number, 4, 1);
    patch(leg, LegOffset::devflags, 1, 0);
    patch(leg, LegOffset::bblog_size, 2, 8);
    patch(leg, LegOffset::roles, 2, 0xffff);
    patch(leg, LegOffset::roles + 2, 2, 1);
    leg.replace(LegOffset::bitmap, 4096, std::string(4096, '\0'));
    sign(leg);
    return leg;
}

} // namespace zraid::test
