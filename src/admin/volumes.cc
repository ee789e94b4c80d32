#include "admin/volumes.h"

#include "devices/md.h"
#include "layout/layout.h"
#include "libvirt/templates.h"
#include "mirror/mirror.h"
#include "pools/stable_name.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/size.h"
#include "util/wait.h"

#include <set>

#include <fmt/core.h>

namespace zraid {

namespace {

/// How long a volume may be open for no reason of its own.
constexpr Milliseconds kVolumeCloses{3'000};

/// A running pool that libvirt knows.
PoolDefinition load_registered(const Admin& admin, const std::string& name)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    const auto layout = layout_of(admin.paths, pool);
    if (!layout->traits().has_volumes)
        throw Error(fmt::format("it has no volumes: a domain has {} as a whole", pool.md_device()),
                    "make partitions in the guest");
    if (!pool.settings.libvirt)
        throw Error("it is not registered with libvirt", layout->by_hand());
    if (!read_md(admin.paths, pool.md_number))
        throw Error("its array is not there", fmt::format("zraid-pool start {}", name));
    return pool;
}

void check_request(const Layout& layout, const VolumeRequest& request)
{
    layout.check_new_volume_name(request.name);
    if (!request.format.empty() && request.format != "raw" && request.format != "qcow2")
        throw UsageError(fmt::format("'{}' is no format", request.format), "choose raw or qcow2");
    if (!layout.traits().has_files && request.format == "qcow2")
        throw UsageError("only a pool of type fs has qcow2 files", "leave out --format");
}

void refuse_open_volume(const Layout& layout, const std::string& volume)
{
    std::string users; // udev looks at a device for a moment
    if (!wait_until(kVolumeCloses,
                    [&] { return (users = layout.openers_of_volume(volume)).empty(); }))
        throw Error(fmt::format("'{}' is in use by {}", layout.volume_path(volume), users),
                    "shut down the domain that has it");
}

} // namespace

LibvirtVolume create_volume(const Admin& admin, const std::string& name, std::uint64_t size,
                            const VolumeRequest& request)
{
    if (size < MiB)
        throw UsageError(fmt::format("{} is too small for a volume", format_size(size)),
                         "give at least 1M");
    const PoolDefinition pool = load_registered(admin, name);
    const auto layout = layout_of(admin.paths, pool);
    check_request(*layout, request);
    const FileLock lock = lock_pool(admin.paths, name);
    const LibvirtConnection libvirt(admin.uri);
    libvirt.refresh_pool(name);
    std::set<std::string> taken;
    for (const LibvirtVolume& volume : libvirt.volumes(name))
        taken.insert(volume.name);
    const std::string volume = layout->new_volume_name(request.name, taken);
    return libvirt.create_volume(
        name, fill_template(admin.paths, "volume-" + to_string(pool.type) + ".xml",
                            {{"VOLUME", volume},
                             {"BYTES", std::to_string(size)},
                             {"FORMAT", request.format.empty() ? "raw" : request.format}}));
}

std::vector<LibvirtVolume> list_volumes(const Admin& admin, const std::string& name)
{
    load_registered(admin, name);
    const LibvirtConnection libvirt(admin.uri);
    libvirt.refresh_pool(name);
    return libvirt.volumes(name);
}

void delete_volume(const Admin& admin, const std::string& name, const std::string& volume,
                   const std::function<void()>& refuse)
{
    const PoolDefinition pool = load_registered(admin, name);
    layout_of(admin.paths, pool)->check_volume_name(volume);
    const FileLock lock = lock_pool(admin.paths, name);
    const auto layout = layout_of(admin.paths, pool, lock.fd());
    const LibvirtConnection libvirt(admin.uri);
    if (layout->has_volume(volume))
        refuse_open_volume(*layout, volume); // libvirt would delete a file that is in use
    if (refuse)
        refuse();
    if (layout->delete_volume(volume)) {
        libvirt.refresh_pool(name);
        return;
    }
    libvirt.refresh_pool(name);
    libvirt.delete_volume(name, volume);
}

std::string volume_disk_xml(const Admin& admin, const std::string& name, const std::string& volume,
                            const std::string& target)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    const auto layout = layout_of(admin.paths, pool);
    layout->check_volume_name(volume);
    // A number says not whose it is, and may be another pool's one day.
    if (!layout->traits().has_files)
        return fill_template(
            admin.paths, "domain-disk.xml",
            {{"PATH", stable_path(admin.paths, name, volume)}, {"TARGET", target}});
    return fill_template(admin.paths, "domain-disk-file.xml",
                         {{"PATH", layout->volume_path(volume)},
                          {"TARGET", target},
                          {"FORMAT", layout->format_of_volume(volume)}});
}

} // namespace zraid
