#include "admin/volumes.h"

#include "devices/md.h"
#include "devices/partitions.h"
#include "libvirt/templates.h"
#include "mirror/mirror.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/size.h"
#include "util/text.h"

#include <algorithm>

#include <fmt/format.h>

namespace zraid {

namespace {

/// A running pool that libvirt knows.
PoolDefinition load_registered(const Admin& admin, const std::string& name)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    if (!pool.libvirt)
        throw Error("it is not registered with libvirt",
                    fmt::format("make and delete partitions of {} with parted", pool.md_device()));
    if (!read_md(admin.paths, pool.md_number))
        throw Error("its array is not there", fmt::format("zraid-pool start {}", name));
    return pool;
}

int next_partition(const Admin& admin, const PoolDefinition& pool,
                   const std::vector<LibvirtVolume>& volumes)
{
    const std::string device = fmt::format("md{}", pool.md_number);
    std::set<int> taken = kernel_partitions(admin.paths, device);
    for (int number = 1;; ++number) {
        const std::string name = fmt::format("{}p{}", device, number);
        const bool known = std::any_of(volumes.begin(), volumes.end(),
                                       [&](const LibvirtVolume& v) { return v.name == name; });
        if (!known && !taken.contains(number))
            return number;
    }
}

/// M of "mdNpM". @throws Error for anything else
int partition_number(const PoolDefinition& pool, const std::string& volume)
{
    const std::string prefix = fmt::format("md{}p", pool.md_number);
    if (const auto number = number_after(volume, prefix); number && *number > 0)
        return *number;
    throw Error(fmt::format("there is no volume '{}': this pool's are named {}1, {}2, …", volume,
                            prefix, prefix),
                fmt::format("zraid-pool vol-list {}", pool.name));
}

} // namespace

LibvirtVolume create_volume(const Admin& admin, const std::string& name, std::uint64_t size)
{
    if (size < MiB)
        throw UsageError(fmt::format("{} is too small for a volume", format_size(size)),
                         "give at least 1M");
    const PoolDefinition pool = load_registered(admin, name);
    const FileLock lock = lock_pool(admin.paths, name);
    const LibvirtConnection libvirt(admin.uri);
    libvirt.refresh_pool(name);
    const std::string volume =
        fmt::format("md{}p{}", pool.md_number, next_partition(admin, pool, libvirt.volumes(name)));
    return libvirt.create_volume(
        name, fill_template(admin.paths, "volume-disk.xml",
                            {{"VOLUME", volume}, {"BYTES", std::to_string(size)}}));
}

std::vector<LibvirtVolume> list_volumes(const Admin& admin, const std::string& name)
{
    load_registered(admin, name);
    const LibvirtConnection libvirt(admin.uri);
    libvirt.refresh_pool(name);
    return libvirt.volumes(name);
}

void delete_volume(const Admin& admin, const std::string& name, const std::string& volume)
{
    const PoolDefinition pool = load_registered(admin, name);
    const int number = partition_number(pool, volume);
    const FileLock lock = lock_pool(admin.paths, name);
    const LibvirtConnection libvirt(admin.uri);
    if (!delete_partition(admin.paths, fmt::format("md{}", pool.md_number), number, lock.fd()))
        throw Error(fmt::format("there is no volume '{}'", volume),
                    fmt::format("zraid-pool vol-list {}", name));
    settle_udev();
    libvirt.refresh_pool(name);
}

std::string volume_disk_xml(const Admin& admin, const std::string& name, const std::string& volume,
                            const std::string& target)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    partition_number(pool, volume);
    return fill_template(admin.paths, "domain-disk.xml",
                         {{"PATH", "/dev/" + volume}, {"TARGET", target}});
}

} // namespace zraid
