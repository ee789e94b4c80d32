#include "devices/superblock_bytes.h"

#include "util/error.h"

#include <cstddef>

#include <linux/raid/md_p.h>

namespace zraid {

std::uint64_t md_number_at(MdBytes block, std::size_t offset, std::size_t bytes)
{
    std::uint64_t value = 0;
    for (std::size_t i = bytes; i-- > 0;)
        value = (value << 8U) | block[offset + i];
    return value;
}

void put_md_number(MdBytes block, std::size_t offset, std::size_t bytes, std::uint64_t value)
{
    for (std::size_t i = 0; i < bytes; ++i)
        block[offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

std::uint32_t md_checksum(MdBytes block)
{
    const std::size_t roles = md_number_at(block, offsetof(mdp_superblock_1, max_dev), 4);
    const std::size_t size = sizeof(mdp_superblock_1) + roles * 2;
    if (size > block.size())
        throw Error("the md superblock has too many roles");
    std::uint64_t sum = 0;
    std::size_t at = 0;
    for (; at + 4 <= size; at += 4) {
        if (at != offsetof(mdp_superblock_1, sb_csum))
            sum += md_number_at(block, at, 4);
    }
    if (at + 2 == size)
        sum += md_number_at(block, at, 2);
    return static_cast<std::uint32_t>((sum & 0xffffffffU) + (sum >> 32U));
}

bool is_md_superblock(MdBytes block)
{
    return md_number_at(block, offsetof(mdp_superblock_1, magic), 4) == MD_SB_MAGIC &&
           md_number_at(block, offsetof(mdp_superblock_1, major_version), 4) == 1;
}

} // namespace zraid
