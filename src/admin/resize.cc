#include "admin/resize.h"

#include "admin/grow_file.h"
#include "devices/bitmap.h"
#include "devices/image.h"
#include "devices/md.h"
#include "devices/partitions.h"
#include "devices/superblock.h"
#include "layout/layout.h"
#include "libvirt/connection.h"
#include "mirror/hold.h"
#include "mirror/mirror.h"
#include "mirror/plan.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/files.h"
#include "util/rollback.h"
#include "util/size.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include <fmt/core.h>

namespace zraid {

namespace {

std::uint64_t check_growth(const PoolDefinition& pool, std::uint64_t wanted)
{
    const std::uint64_t size = round_up(wanted, kSectorSize);
    if (size > kMaxImageSize)
        throw UsageError(fmt::format("{} is too large for a pool", format_size(size)),
                         "give at most 16T: zram cannot mirror more");
    if (size < pool.size)
        throw Error(fmt::format("it has {} already, and pools only grow", format_size(pool.size)),
                    "for less, define a smaller pool and copy the guest's data there");
    return size;
}

void check_volume(const Admin& admin, const PoolDefinition& pool, const std::string& volume)
{
    const auto layout = layout_of(admin.paths, pool);
    layout->check_volume_name(volume);
    if (!read_md(admin.paths, pool.md_number))
        throw Error("its array is not there", fmt::format("zraid-pool start {}", pool.name));
    if (!layout->has_volume(volume))
        throw Error(fmt::format("there is no volume '{}'", volume),
                    fmt::format("zraid-pool vol-list {}", pool.name));
}

/// What a domain has of the pool, by whatever name: "md100", "md100p1", "dm-3". Empty: nothing that
/// is a block device.
std::string device_of(const Paths& paths, const LibvirtDisk& disk, const PoolDefinition& pool)
{
    std::error_code ignored;
    const auto device =
        std::filesystem::canonical(pool.settings.libvirt && disk.pool == pool.name
                                       ? layout_of(paths, pool)->volume_path(disk.volume)
                                       : disk.path,
                                   ignored);
    return device.parent_path() == "/dev" ? device.filename().string() : "";
}

/// Disks that lie on the pool. Asked before the pool is locked: libvirt holds the lock of a domain
/// while its hook waits for that of the pool.
/// @return nothing if libvirt cannot be asked
std::optional<std::vector<LibvirtDisk>> disks_of(const Admin& admin, const PoolDefinition& pool)
{
    try {
        return LibvirtConnection(admin.uri).disks();
    } catch (const std::exception&) {
        if (pool.settings.libvirt)
            throw;
        return std::nullopt;
    }
}

std::uint64_t data_offset_of(const PoolDefinition& pool)
{
    const auto superblock = read_superblock(pool.image);
    return superblock ? superblock->data_offset : kDataOffset;
}

/// Growing, md keeps the bitmap within the sectors that it takes now, and doubles the chunk until
/// it fits (md_bitmap_resize, drivers/md/md-bitmap.c).
void check_bitmap_room(const PoolDefinition& pool, std::uint64_t size)
{
    constexpr std::uint64_t header = 256;
    constexpr std::uint64_t sector = 512;
    const std::uint64_t bytes = header + (read_bitmap(pool.image).chunks + 7) / 8;
    const std::uint64_t room = round_up(bytes, sector) - header;
    const std::uint64_t largest = room * 8 * kMaxBitmapChunk + data_offset_of(pool);
    if (size > largest)
        throw Error(fmt::format("its bitmap has room for {} at most", format_size(largest)),
                    "define a larger pool and copy the guest's data there");
}

/// A device is made larger by whoever gives it, and taken as it is: to the end.
void check_device_size(const PoolDefinition& pool, std::uint64_t has, std::uint64_t wanted)
{
    if (has < wanted)
        throw Error(fmt::format("device '{}' has {}, not {}", pool.image, format_size(has),
                                format_size(wanted)),
                    fmt::format("make the device larger first (lvextend -L {}b '{}', or its SAN's "
                                "way)",
                                wanted, pool.image));
    if (has > wanted)
        throw Error(fmt::format("device '{}' has {} bytes, and a pool has all of its device",
                                pool.image, has),
                    fmt::format("zraid-pool resize {} {}", pool.name, has));
}

void lengthen_image(const PoolDefinition& pool, std::uint64_t size)
{
    const ImageInfo image = inspect_image(pool.image);
    if (image.content != ImageContent::array)
        throw Error(fmt::format("image '{}' holds no array", pool.image),
                    "is it the right file? zraid-pool dumpxml shows the definition");
    if (image.kind == ImageKind::block)
        check_device_size(pool, image.size, size);
    if (image.size >= size)
        return;
    // Without holes so far: its administrator wants no full file system later.
    complete_image(pool.image, size, allocated_bytes(pool.image) >= image.size);
}

/// The larger size, and the chunk that md may have doubled to keep its bitmap in its place.
void save_growth(const Admin& admin, PoolDefinition& pool, std::uint64_t size)
{
    PoolDefinition grown = pool;
    grown.size = size;
    grown.bitmap_chunk = read_bitmap(pool.image).chunk;
    if (grown == pool)
        return;
    pool = grown;
    PoolStore(admin.paths).save(pool);
}

void grow_array(const Admin& admin, PoolDefinition& pool, std::uint64_t size, const FileLock& lock)
{
    if (const Plan now = plan(Mirror(admin.paths, pool, lock).view(), Goal::grown);
        !now.refusal.empty())
        throw Error(now.refusal, now.next);
    check_bitmap_room(pool, size);
    // In this order, so that what is defined is never more than what the file has.
    lengthen_image(pool, size);
    save_growth(admin, pool, size);
    Mirror mirror(admin.paths, pool, lock);
    const bool with_ram = mirror.view().ram.has_value() || wants_ram(admin.paths, pool);
    Rollback rollback;
    if (with_ram)
        rollback.add("bring the RAM leg back",
                     [&] { attach_if_possible(admin.paths, mirror, pool.name); });
    mirror.grow();
    rollback.keep();
    save_growth(admin, pool, size);
    if (with_ram)
        attach_if_possible(admin.paths, mirror, pool.name);
}

std::uint64_t size_of_device(const Paths& paths, const std::string& device)
{
    const std::string sectors = read_file(paths.sys / "class/block" / device / "size");
    return std::stoull(sectors) * 512;
}

void grow_layout(const Admin& admin, const PoolDefinition& pool, const Layout& layout,
                 const ResizeRequest& request)
{
    layout.bring_up();
    layout.grow();
    if (!request.volume.empty())
        layout.extend(request.volume);
    settle_udev();
    if (pool.settings.libvirt)
        LibvirtConnection(admin.uri).refresh_pool(pool.name);
}

/// The partition table, if it is the pool's, covers the whole array; the volume what is free behind
/// it.
/// @param disks of all domains, if libvirt could be asked
void grow_table(const Admin& admin, const PoolDefinition& pool, const Layout& layout,
                const ResizeRequest& request, const std::optional<std::vector<LibvirtDisk>>& disks,
                ResizeReport& report)
{
    if (!layout.traits().has_volumes) {
        if (!request.volume.empty())
            throw Error("it has no volumes: what is in the array is the guest's",
                        "leave out --volume, and let the guest make its partitions larger");
        return;
    }
    const std::string by_hand =
        fmt::format("sfdisk --relocate gpt-bak-std {0} lets {0}'s partition table use the new "
                    "space",
                    pool.md_device());
    if (!disks) {
        report.remarks.push_back("libvirt could not be asked whether a domain has the array as a "
                                 "whole; if none has, " +
                                 by_hand);
        return;
    }
    const std::string array = pool.md_kernel_name();
    // Then the partition table is the guest's.
    const auto whole = std::find_if(disks->begin(), disks->end(), [&](const LibvirtDisk& disk) {
        return device_of(admin.paths, disk, pool) == array;
    });
    if (whole != disks->end()) {
        if (!request.volume.empty())
            throw Error(fmt::format("domain '{}' has the array as a whole: its partitions are the "
                                    "guest's",
                                    whole->domain),
                        "leave out --volume, and let the guest make them larger");
        return;
    }
    if (layout.is_made())
        grow_layout(admin, pool, layout, request);
}

void tell_domains(const Admin& admin, const PoolDefinition& pool,
                  const std::vector<LibvirtDisk>& disks, const std::string& volume,
                  ResizeReport& report)
{
    const LibvirtConnection libvirt(admin.uri);
    std::error_code ignored;
    const std::string larger =
        std::filesystem::canonical(layout_of(admin.paths, pool)->volume_path(volume), ignored)
            .filename();
    for (const LibvirtDisk& disk : disks) {
        const std::string device = device_of(admin.paths, disk, pool);
        const bool grown = (!volume.empty() && device == larger) || device == pool.md_kernel_name();
        if (!disk.running || !grown)
            continue;
        try {
            libvirt.tell_size(disk.domain, disk.target, size_of_device(admin.paths, device));
            report.told.push_back(disk.domain);
        } catch (const std::exception& e) {
            report.remarks.push_back(
                fmt::format("domain '{}' does not know yet that '{}' has grown: {}; it sees it "
                            "when it is started anew",
                            disk.domain, disk.target, explain(e)));
        }
    }
}

} // namespace

ResizeReport resize_pool(const Admin& admin, const ResizeRequest& request)
{
    PoolDefinition pool = PoolStore(admin.paths).load(request.pool);
    if (!request.volume.empty())
        check_volume(admin, pool, request.volume);
    const auto disks = disks_of(admin, pool);
    const LayoutTraits traits = layout_traits(pool.type);
    ResizeReport report;
    {
        const FileLock lock = lock_pool(admin.paths, pool.name);
        pool = PoolStore(admin.paths).load(pool.name);
        grow_array(admin, pool, check_growth(pool, request.size), lock);
        const auto layout = layout_of(admin.paths, pool, lock.fd());
        if (traits.may_be_guests)
            grow_table(admin, pool, *layout, request, disks, report);
        else
            grow_layout(admin, pool, *layout, request);
        report.size = pool.size;
    }
    if (traits.has_files) {
        if (!request.volume.empty())
            grow_file(admin, pool, request.volume, disks, report);
    } else if (disks) {
        tell_domains(admin, pool, *disks, request.volume, report);
    }
    return report;
}

} // namespace zraid
