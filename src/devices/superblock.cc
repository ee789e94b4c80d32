#include "devices/superblock.h"

#include "util/error.h"
#include "util/fd.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <linux/raid/md_p.h>
#include <unistd.h>

namespace zraid {

namespace {

constexpr off_t kSuperblockOffset = 4096;

using Block = std::array<unsigned char, sizeof(mdp_superblock_1)>;

/// Little-endian number of `bytes` bytes.
std::uint64_t number_at(const Block& block, std::size_t offset, std::size_t bytes)
{
    std::uint64_t value = 0;
    for (std::size_t i = bytes; i-- > 0;)
        value = (value << 8U) | block.at(offset + i);
    return value;
}

} // namespace

std::optional<MdSuperblock> read_superblock(const std::string& path)
{
    const UniqueFd fd = open_file(path, O_RDONLY);
    Block block{};
    const ssize_t n = ::pread(fd.get(), block.data(), block.size(), kSuperblockOffset);
    if (n < 0)
        throw SystemError(errno, "read the md superblock of '" + path + "'");
    if (static_cast<std::size_t>(n) < block.size() ||
        number_at(block, offsetof(mdp_superblock_1, magic), 4) != MD_SB_MAGIC ||
        number_at(block, offsetof(mdp_superblock_1, major_version), 4) != 1)
        return std::nullopt;

    MdSuperblock superblock;
    Uuid::Bytes uuid{};
    std::copy_n(block.begin() + offsetof(mdp_superblock_1, set_uuid), uuid.size(), uuid.begin());
    superblock.array_uuid = Uuid(uuid);
    for (std::size_t i = 0; i < sizeof(mdp_superblock_1::set_name); ++i) {
        const unsigned char c = block.at(offsetof(mdp_superblock_1, set_name) + i);
        if (c == 0)
            break;
        superblock.name += static_cast<char>(c);
    }
    superblock.events = number_at(block, offsetof(mdp_superblock_1, events), 8);
    superblock.data_offset = number_at(block, offsetof(mdp_superblock_1, data_offset), 8) * 512;
    const auto features = number_at(block, offsetof(mdp_superblock_1, feature_map), 4);
    superblock.has_bitmap = (features & MD_FEATURE_BITMAP_OFFSET) != 0;
    superblock.has_bad_blocks = (features & MD_FEATURE_BAD_BLOCKS) != 0 ||
                                number_at(block, offsetof(mdp_superblock_1, bblog_size), 2) != 0;
    return superblock;
}

} // namespace zraid
