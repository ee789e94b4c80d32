#include "devices/takeover.h"

#include "devices/superblock_bytes.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/size.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/raid/md_p.h>
#include <unistd.h>

namespace zraid {

namespace {

using Page = std::array<std::uint8_t, 4096>;

constexpr std::size_t kPage = 4096;
/// Behind the superblock, as mdadm places it.
constexpr std::size_t kBitmapOffset = kMdSuperblockOffset + kPage;
constexpr std::size_t kBitmapHeader = 256;
/// Room for the largest bitmap that mdadm would make (super1.c, choose_bm_space).
constexpr std::size_t kHeader = kBitmapOffset + 128 * KiB;
constexpr std::uint16_t kFirstSpecialRole = 0xfff0;

std::uint64_t field(Page& page, std::size_t offset, std::size_t bytes)
{
    return md_number_at(page, offset, bytes);
}

/// @return false if there is no superblock
bool read_page(const std::string& image, Page& page)
{
    const UniqueFd fd = open_file(image, O_RDONLY);
    const ssize_t n = ::pread(fd.get(), page.data(), page.size(), kMdSuperblockOffset);
    if (n < 0)
        throw SystemError(errno, "read the md superblock of '" + image + "'");
    return static_cast<std::size_t>(n) == page.size() && is_md_superblock(page);
}

bool has_good_checksum(Page& page)
{
    const std::uint64_t roles = field(page, offsetof(mdp_superblock_1, max_dev), 4);
    return sizeof(mdp_superblock_1) + roles * 2 <= page.size() && roles > 0 &&
           field(page, offsetof(mdp_superblock_1, sb_csum), 4) == md_checksum(page);
}

std::size_t bitmap_bytes(std::uint64_t size, std::uint64_t chunk)
{
    return round_up(kBitmapHeader + ((size + chunk - 1) / chunk + 7) / 8, kPage);
}

/// As md reads it (struct bitmap_super_s in drivers/md/md-bitmap.h). It is as old as the superblock
/// says; an older one would be taken for all marks set.
std::vector<std::uint8_t> blank_bitmap(Page& superblock, std::uint64_t size, std::uint64_t chunk)
{
    std::vector<std::uint8_t> bitmap(bitmap_bytes(size, chunk), 0);
    constexpr std::uint32_t magic = 0x6d746962;
    const std::uint64_t events = field(superblock, offsetof(mdp_superblock_1, events), 8);
    put_md_number(bitmap, 0, 4, magic);
    put_md_number(bitmap, 4, 4, 4); // version
    std::copy_n(superblock.begin() + offsetof(mdp_superblock_1, set_uuid), 16, bitmap.begin() + 8);
    put_md_number(bitmap, 24, 8, events);
    put_md_number(bitmap, 32, 8, events); // cleared: who has seen less gets all
    put_md_number(bitmap, 40, 8, size / 512);
    put_md_number(bitmap, 52, 4, chunk);
    put_md_number(bitmap, 56, 4, 5); // seconds until a mark is taken away
    const std::uint64_t bits = (size + chunk - 1) / chunk;
    std::fill(bitmap.begin() + static_cast<std::ptrdiff_t>(kBitmapHeader + (bits + 7) / 8),
              bitmap.end(), std::uint8_t{0xff});
    return bitmap;
}

void make_ours(Page& page, const std::string& name, std::uint64_t size, std::uint64_t image_size)
{
    const auto put = [&](std::size_t offset, std::size_t bytes, std::uint64_t value) {
        put_md_number(page, offset, bytes, value);
    };
    const std::uint64_t data = field(page, offsetof(mdp_superblock_1, data_offset), 8) * 512;
    put(offsetof(mdp_superblock_1, feature_map), 4, MD_FEATURE_BITMAP_OFFSET);
    const auto name_at = page.begin() + offsetof(mdp_superblock_1, set_name);
    std::fill_n(name_at, sizeof(mdp_superblock_1::set_name), std::uint8_t{0});
    std::copy_n(name.begin(), std::min(name.size(), sizeof(mdp_superblock_1::set_name) - 1),
                name_at);
    put(offsetof(mdp_superblock_1, size), 8, size / 512);
    put(offsetof(mdp_superblock_1, bitmap_offset), 4, (kBitmapOffset - kMdSuperblockOffset) / 512);
    put(offsetof(mdp_superblock_1, data_size), 8, (image_size - data) / 512);
    put(offsetof(mdp_superblock_1, recovery_offset), 8, 0);
    put(offsetof(mdp_superblock_1, dev_number), 4, 0);
    page[offsetof(mdp_superblock_1, devflags)] |= WriteMostly1;
    put(offsetof(mdp_superblock_1, bblog_shift), 1, 0);
    put(offsetof(mdp_superblock_1, bblog_size), 2, 0);
    put(offsetof(mdp_superblock_1, bblog_offset), 4, 0);
    put(offsetof(mdp_superblock_1, resync_offset), 8, ~std::uint64_t{0}); // in sync
    // As many roles as mdadm writes; all but slot 0 are free.
    constexpr std::size_t roles = 128;
    put(offsetof(mdp_superblock_1, max_dev), 4, roles);
    std::fill_n(page.begin() + offsetof(mdp_superblock_1, dev_roles), roles * 2,
                std::uint8_t{0xff});
    put(offsetof(mdp_superblock_1, dev_roles), 2, 0);
    put(offsetof(mdp_superblock_1, sb_csum), 4, md_checksum(page));
}

void write_durably(int fd, const std::string& image, std::size_t at, MdBytes content)
{
    if (::pwrite(fd, content.data(), content.size(), static_cast<off_t>(at)) !=
            static_cast<ssize_t>(content.size()) ||
        ::fsync(fd) != 0)
        throw SystemError(errno, "write the md superblock of '" + image + "'");
}

} // namespace

std::optional<ForeignLeg> read_foreign_leg(const std::string& image)
{
    const auto superblock = read_superblock(image);
    Page page{};
    if (!superblock || !read_page(image, page))
        return std::nullopt;
    ForeignLeg leg;
    leg.superblock = *superblock;
    leg.is_whole = has_good_checksum(page);
    leg.features =
        static_cast<std::uint32_t>(field(page, offsetof(mdp_superblock_1, feature_map), 4));
    leg.level = static_cast<std::int32_t>(field(page, offsetof(mdp_superblock_1, level), 4));
    leg.raid_disks =
        static_cast<std::uint32_t>(field(page, offsetof(mdp_superblock_1, raid_disks), 4));
    leg.size = field(page, offsetof(mdp_superblock_1, size), 8) * 512;
    const std::uint64_t number = field(page, offsetof(mdp_superblock_1, dev_number), 4);
    const std::uint64_t roles = field(page, offsetof(mdp_superblock_1, max_dev), 4);
    const std::size_t at = offsetof(mdp_superblock_1, dev_roles) + number * 2;
    leg.role = number < roles && at + 2 <= page.size()
                   ? static_cast<std::uint16_t>(field(page, at, 2))
                   : std::uint16_t{0xffff};
    return leg;
}

std::string why_not_taken_over(const ForeignLeg& leg, std::uint64_t image_size)
{
    const std::uint64_t data = leg.superblock.data_offset;
    if (!leg.is_whole)
        return "the checksum of its md superblock is wrong";
    if (leg.level != 1 || leg.raid_disks != 2)
        return fmt::format("it is of an array of RAID level {} with {} devices, not of a RAID1 "
                           "with 2",
                           leg.level, leg.raid_disks);
    if ((leg.features & MD_FEATURE_BAD_BLOCKS) != 0)
        return "md has noted bad blocks of it: it lacks data";
    if ((leg.features & MD_FEATURE_RECOVERY_OFFSET) != 0)
        return "md had not copied all data to it yet";
    if ((leg.features & ~std::uint32_t{MD_FEATURE_BITMAP_OFFSET}) != 0)
        return fmt::format("its md superblock has features that zraid does not know (0x{:x})",
                           leg.features);
    if (leg.role >= kFirstSpecialRole)
        return "it was a spare of its array, or had failed: its data may be old";
    if (leg.size == 0 || image_size < data || image_size - data < leg.size)
        return fmt::format("it has {} bytes, its array needs {}", image_size, data + leg.size);
    if (data % kPage != 0 || data < kHeader)
        return fmt::format("its data begin {} bytes behind its start: that leaves no room for "
                           "a bitmap, or meets no 4096-byte sector",
                           data);
    return "";
}

std::uint64_t size_after_takeover(std::uint64_t image_size)
{
    return round_up(image_size, kPage);
}

std::string header_of(const std::string& image)
{
    std::string header(kHeader, '\0');
    const UniqueFd fd = open_file(image, O_RDONLY);
    const ssize_t n = ::pread(fd.get(), header.data(), header.size(), 0);
    if (n < 0)
        throw SystemError(errno, "read '" + image + "'");
    header.resize(static_cast<std::size_t>(n));
    return header;
}

bool is_header_of(const std::string& header, const std::string& image)
{
    return header.size() == kHeader && header.compare(kMdSuperblockOffset, kPage, header_of(image),
                                                      kMdSuperblockOffset, kPage) == 0;
}

void take_over_leg(const std::string& image, const std::string& name, std::uint64_t chunk)
{
    const auto leg = read_foreign_leg(image);
    const std::uint64_t now = std::filesystem::file_size(image);
    const std::string problem = leg ? why_not_taken_over(*leg, now) : "it has no md superblock";
    if (!problem.empty())
        throw Error(fmt::format("take over '{}': {}", image, problem));
    const std::uint64_t size = round_up(leg->size, kPage);
    const std::uint64_t image_size = size_after_takeover(now);
    if (kBitmapOffset + bitmap_bytes(size, chunk) > kHeader)
        throw Error(fmt::format("take over '{}': its bitmap would be too large", image));

    Page page{};
    read_page(image, page);
    const UniqueFd fd = open_file(image, O_RDWR);
    if (image_size != now && ::ftruncate(fd.get(), static_cast<off_t>(image_size)) != 0)
        throw SystemError(errno, "make '" + image + "' longer");
    auto bitmap = blank_bitmap(page, size, chunk);
    write_durably(fd.get(), image, kBitmapOffset, bitmap);
    make_ours(page, name, size, image_size);
    write_durably(fd.get(), image, kMdSuperblockOffset, page);
}

} // namespace zraid
