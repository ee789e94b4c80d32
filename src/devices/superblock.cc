#include "devices/superblock.h"

#include "devices/page_buffer.h"
#include "devices/superblock_bytes.h"
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

constexpr off_t kSuperblockOffset = kMdSuperblockOffset;
constexpr std::size_t kSuperblockSize = 4096;
/// Of what lies before the data of a leg, all that is used: superblock and bitmap.
constexpr std::size_t kMaxHeader = std::size_t{1} << 20U;

using Bytes = MdBytes;

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
    superblock.events = md_number_at(block, offsetof(mdp_superblock_1, events), 8);
    superblock.data_offset = md_number_at(block, offsetof(mdp_superblock_1, data_offset), 8) * 512;
    const auto features = md_number_at(block, offsetof(mdp_superblock_1, feature_map), 4);
    superblock.has_bitmap = (features & MD_FEATURE_BITMAP_OFFSET) != 0;
    superblock.bitmap_offset =
        kSuperblockOffset + md_number_at(block, offsetof(mdp_superblock_1, bitmap_offset), 4) * 512;
    superblock.has_bad_blocks = (features & MD_FEATURE_BAD_BLOCKS) != 0 ||
                                md_number_at(block, offsetof(mdp_superblock_1, bblog_size), 2) != 0;
    return superblock;
}

/// The disk leg's superblock, turned into that of slot 1.
void turn_into_second_leg(Bytes superblock)
{
    put_md_number(superblock, offsetof(mdp_superblock_1, dev_number), 4, 1);
    const Uuid device = Uuid::random();
    std::copy(device.bytes().begin(), device.bytes().end(),
              superblock.begin() + offsetof(mdp_superblock_1, device_uuid));
    superblock[offsetof(mdp_superblock_1, devflags)] &=
        static_cast<std::uint8_t>(~unsigned{WriteMostly1});
    put_md_number(superblock, offsetof(mdp_superblock_1, dev_roles) + 2, 2, 1);
    put_md_number(superblock, offsetof(mdp_superblock_1, sb_csum), 4, md_checksum(superblock));
}

} // namespace

std::optional<MdSuperblock> read_superblock(const std::string& path)
{
    const bool device = std::filesystem::is_block_file(path);
    const UniqueFd fd = open_file(path, O_RDONLY | (device ? O_DIRECT : 0));
    const PageBuffer buffer(kSuperblockSize);
    const Bytes block = buffer.bytes();
    const ssize_t n = ::pread(fd.get(), block.data(), block.size(), kSuperblockOffset);
    if (n < 0)
        throw SystemError(errno, "read the md superblock of '" + path + "'");
    if (static_cast<std::size_t>(n) < sizeof(mdp_superblock_1) || !is_md_superblock(block))
        return std::nullopt;
    return parse(block);
}

void write_second_leg_header(const std::string& image, const std::string& device)
{
    const PageBuffer buffer(kMaxHeader);
    const UniqueFd from = open_file(image, O_RDONLY);
    const ssize_t n = ::pread(from.get(), buffer.bytes().data(), buffer.bytes().size(), 0);
    if (n < 0)
        throw SystemError(errno, "read the md superblock of '" + image + "'");
    const Bytes superblock = buffer.bytes().subspan(kSuperblockOffset, kSuperblockSize);
    if (static_cast<std::size_t>(n) < buffer.bytes().size() || !is_md_superblock(superblock) ||
        md_number_at(superblock, offsetof(mdp_superblock_1, sb_csum), 4) != md_checksum(superblock))
        throw Error("'" + image + "' has no md superblock that is whole");
    const MdSuperblock found = parse(superblock);
    if (found.data_offset < kSuperblockOffset + kSuperblockSize ||
        found.data_offset % kSuperblockSize != 0 || !found.has_bitmap ||
        found.bitmap_offset >= found.data_offset || found.has_bad_blocks ||
        md_number_at(superblock, offsetof(mdp_superblock_1, max_dev), 4) < 2 ||
        md_number_at(superblock, offsetof(mdp_superblock_1, dev_number), 4) != 0 ||
        md_number_at(superblock, offsetof(mdp_superblock_1, dev_roles), 2) != 0)
        throw Error("the md superblock of '" + image + "' is not laid out as zraid makes it");
    turn_into_second_leg(superblock);

    // Past the device's page cache, which md would not see.
    const UniqueFd to = open_file(device, O_WRONLY | O_DIRECT);
    const std::size_t length = std::min<std::uint64_t>(found.data_offset, kMaxHeader);
    const Bytes content = buffer.bytes().first(length).subspan(kSuperblockOffset);
    if (::pwrite(to.get(), content.data(), content.size(), kSuperblockOffset) !=
        static_cast<ssize_t>(content.size()))
        throw SystemError(errno, "write the md superblock of '" + device + "'");
}

} // namespace zraid
