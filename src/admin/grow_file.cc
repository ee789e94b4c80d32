#include "admin/grow_file.h"

#include "layout/layout.h"
#include "util/error.h"
#include "util/size.h"

#include <algorithm>
#include <filesystem>

#include <fmt/core.h>

namespace zraid {

namespace {

namespace fs = std::filesystem;

/// Bytes that the volume may have: a full file system would take the others' writes away, so what
/// they may grow to is theirs, and one part in fifty is left to XFS and to qcow2's tables.
std::uint64_t largest(const PoolDefinition& pool, const LibvirtVolume& volume,
                      const std::vector<LibvirtVolume>& all)
{
    std::uint64_t room = fs::space(pool.target).available + volume.allocation;
    for (const LibvirtVolume& other : all) {
        if (other.name != volume.name && other.capacity > other.allocation)
            room -= std::min(room, other.capacity - other.allocation);
    }
    return room / 50 * 49 / MiB * MiB;
}

bool is_volume(const Paths& paths, const LibvirtDisk& disk, const PoolDefinition& pool,
               const std::string& volume)
{
    if (disk.pool == pool.name)
        return disk.volume == volume;
    std::error_code ignored;
    return fs::weakly_canonical(disk.path, ignored) == layout_of(paths, pool)->volume_path(volume);
}

} // namespace

void grow_file(const Admin& admin, const PoolDefinition& pool, const std::string& volume,
               const std::optional<std::vector<LibvirtDisk>>& disks, ResizeReport& report)
{
    if (!pool.settings.libvirt || !disks) {
        report.remarks.push_back(fmt::format("qemu-img resize makes '{}' larger",
                                             layout_of(admin.paths, pool)->volume_path(volume)));
        return;
    }
    const LibvirtConnection libvirt(admin.uri);
    const auto volumes = libvirt.volumes(pool.name);
    const auto found = std::find_if(volumes.begin(), volumes.end(),
                                    [&](const LibvirtVolume& v) { return v.name == volume; });
    if (found == volumes.end())
        throw Error(fmt::format("libvirt knows no volume '{}'", volume),
                    fmt::format("zraid-pool vol-list {}", pool.name));
    const std::uint64_t bytes = largest(pool, *found, volumes);
    if (bytes <= found->capacity) {
        report.remarks.push_back(
            fmt::format("volume '{}' stays at {}: the other volumes may need what is free", volume,
                        format_size(found->capacity)));
        return;
    }
    const auto user = std::find_if(disks->begin(), disks->end(), [&](const LibvirtDisk& disk) {
        return disk.running && is_volume(admin.paths, disk, pool, volume);
    });
    if (user == disks->end()) {
        libvirt.grow_volume(pool.name, volume, bytes);
    } else {
        libvirt.tell_size(user->domain, user->target, bytes);
        report.told.push_back(user->domain);
        libvirt.refresh_pool(pool.name);
    }
}

} // namespace zraid
