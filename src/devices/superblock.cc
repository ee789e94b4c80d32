#include "devices/superblock.h"

#include "devices/page_buffer.h"
#include "util/error.h"
#include "util/fd.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <span>

#include <fcntl.h>
#include <linux/raid/md_p.h>
#include <unistd.h>

namespace zraid {

namespace {

constexpr off_t kSuperblockOffset = 4096;
constexpr std::size_t kPage = 4096;
/// What lies before the data of a leg: superblock, bitmap.
constexpr std::size_t kMaxHeader = std::size_t{1} << 20U;

using Bytes = std::span<std::uint8_t>;

/// Little-endian number of `bytes` bytes.
std::uint64_t number_at(Bytes block, std::size_t offset, std::size_t bytes)
{
    std::uint64_t value = 0;
    for (std::size_t i = bytes; i-- > 0;)
        value = (value << 8U) | block[offset + i];
    return value;
}

void put_number(Bytes block, std::size_t offset, std::size_t bytes, std::uint64_t value)
{
    for (std::size_t i = 0; i < bytes; ++i)
        block[offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

/// md's checksum (calc_sb_1_csum in the kernel's md.c): the sum of the little-endian words, its own
/// taken as zero, the carry folded in once.
std::uint32_t checksum(Bytes block)
{
    const std::size_t roles = number_at(block, offsetof(mdp_superblock_1, max_dev), 4);
    const std::size_t size = sizeof(mdp_superblock_1) + roles * 2;
    if (size > block.size())
        throw Error("the md superblock has too many roles");
    std::uint64_t sum = 0;
    std::size_t at = 0;
    for (; at + 4 <= size; at += 4) {
        if (at != offsetof(mdp_superblock_1, sb_csum))
            sum += number_at(block, at, 4);
    }
    if (at + 2 == size)
        sum += number_at(block, at, 2);
    return static_cast<std::uint32_t>((sum & 0xffffffffU) + (sum >> 32U));
}

MdSuperblock parse(Bytes block)
{
    MdSuperblock superblock;
    Uuid::Bytes uuid{};
    std::copy_n(block.begin() + offsetof(mdp_superblock_1, set_uuid), uuid.size(), uuid.begin());
    superblock.array_uuid = Uuid(uuid);
    for (std::size_t i = 0; i < sizeof(mdp_superblock_1::set_name); ++i) {
        const unsigned char c = block[offsetof(mdp_superblock_1, set_name) + i];
        if (c == 0)
            break;
        superblock.name += static_cast<char>(c);
    }
    superblock.events = number_at(block, offsetof(mdp_superblock_1, events), 8);
    superblock.data_offset = number_at(block, offsetof(mdp_superblock_1, data_offset), 8) * 512;
    const auto features = number_at(block, offsetof(mdp_superblock_1, feature_map), 4);
    superblock.has_bitmap = (features & MD_FEATURE_BITMAP_OFFSET) != 0;
    superblock.bitmap_offset =
        kSuperblockOffset + number_at(block, offsetof(mdp_superblock_1, bitmap_offset), 4) * 512;
    superblock.has_bad_blocks = (features & MD_FEATURE_BAD_BLOCKS) != 0 ||
                                number_at(block, offsetof(mdp_superblock_1, bblog_size), 2) != 0;
    return superblock;
}

bool is_superblock(Bytes block)
{
    return number_at(block, offsetof(mdp_superblock_1, magic), 4) == MD_SB_MAGIC &&
           number_at(block, offsetof(mdp_superblock_1, major_version), 4) == 1;
}

/// The disk leg's superblock, turned into that of slot 1.
void turn_into_second_leg(Bytes superblock)
{
    put_number(superblock, offsetof(mdp_superblock_1, dev_number), 4, 1);
    const Uuid device = Uuid::random();
    std::copy(device.bytes().begin(), device.bytes().end(),
              superblock.begin() + offsetof(mdp_superblock_1, device_uuid));
    superblock[offsetof(mdp_superblock_1, devflags)] &=
        static_cast<std::uint8_t>(~unsigned{WriteMostly1});
    put_number(superblock, offsetof(mdp_superblock_1, dev_roles) + 2, 2, 1);
    put_number(superblock, offsetof(mdp_superblock_1, sb_csum), 4, checksum(superblock));
}

} // namespace

std::optional<MdSuperblock> read_superblock(const std::string& path)
{
    const bool device = std::filesystem::is_block_file(path);
    const UniqueFd fd = open_file(path, O_RDONLY | (device ? O_DIRECT : 0));
    const PageBuffer buffer(kPage);
    const Bytes block = buffer.bytes();
    const ssize_t n = ::pread(fd.get(), block.data(), block.size(), kSuperblockOffset);
    if (n < 0)
        throw SystemError(errno, "read the md superblock of '" + path + "'");
    if (static_cast<std::size_t>(n) < sizeof(mdp_superblock_1) || !is_superblock(block))
        return std::nullopt;
    return parse(block);
}

void write_second_leg_header(const std::string& image, const std::string& device)
{
    const PageBuffer buffer(kMaxHeader);
    Bytes header = buffer.bytes();
    const UniqueFd from = open_file(image, O_RDONLY);
    const ssize_t n = ::pread(from.get(), header.data(), header.size(), 0);
    if (n < 0)
        throw SystemError(errno, "read the md superblock of '" + image + "'");
    const Bytes superblock = header.subspan(kSuperblockOffset, kPage);
    if (static_cast<std::size_t>(n) < header.size() || !is_superblock(superblock) ||
        number_at(superblock, offsetof(mdp_superblock_1, sb_csum), 4) != checksum(superblock))
        throw Error("'" + image + "' has no md superblock that is whole");
    const MdSuperblock found = parse(superblock);
    if (found.data_offset != kMaxHeader || !found.has_bitmap || found.has_bad_blocks ||
        number_at(superblock, offsetof(mdp_superblock_1, max_dev), 4) < 2 ||
        number_at(superblock, offsetof(mdp_superblock_1, dev_number), 4) != 0 ||
        number_at(superblock, offsetof(mdp_superblock_1, dev_roles), 2) != 0)
        throw Error("the md superblock of '" + image + "' is not laid out as zraid makes it");
    turn_into_second_leg(superblock);

    // Past the device's page cache, which md would not see.
    const UniqueFd to = open_file(device, O_WRONLY | O_DIRECT);
    const Bytes content = header.subspan(kSuperblockOffset);
    if (::pwrite(to.get(), content.data(), content.size(), kSuperblockOffset) !=
        static_cast<ssize_t>(content.size()))
        throw SystemError(errno, "write the md superblock of '" + device + "'");
}

} // namespace zraid
