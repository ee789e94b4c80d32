#include "admin/volumes.h"

#include "devices/md.h"
#include "devices/openers.h"
#include "devices/partitions.h"
#include "layout/layout.h"
#include "layout/names.h"
#include "libvirt/templates.h"
#include "mirror/mirror.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/size.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

namespace zraid {

namespace {

std::string by_hand(const PoolDefinition& pool)
{
    switch (pool.type) {
    case PoolType::logical:
        return fmt::format("make and delete volumes of {} with lvcreate and lvremove", pool.name);
    case PoolType::fs:
        return fmt::format("make and delete files in '{}' with qemu-img and rm", pool.target);
    case PoolType::disk:
    case PoolType::whole:
        break;
    }
    return fmt::format("make and delete partitions of {} with parted", pool.md_device());
}

/// A running pool that libvirt knows.
PoolDefinition load_registered(const Admin& admin, const std::string& name)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    if (pool.type == PoolType::whole)
        throw Error(fmt::format("it has no volumes: a domain has {} as a whole", pool.md_device()),
                    "make partitions in the guest");
    if (!pool.settings.libvirt)
        throw Error("it is not registered with libvirt", by_hand(pool));
    if (!read_md(admin.paths, pool.md_number))
        throw Error("its array is not there", fmt::format("zraid-pool start {}", name));
    return pool;
}

int next_partition(const Admin& admin, const PoolDefinition& pool,
                   const std::vector<LibvirtVolume>& volumes)
{
    const std::string device = pool.md_kernel_name();
    std::set<int> taken = kernel_partitions(admin.paths, device);
    for (int number = 1;; ++number) {
        const std::string name = fmt::format("{}p{}", device, number);
        const bool known = std::any_of(volumes.begin(), volumes.end(),
                                       [&](const LibvirtVolume& v) { return v.name == name; });
        if (!known && !taken.contains(number))
            return number;
    }
}

/// "raw" or "qcow2": what the file begins with.
std::string format_of_file(const std::string& path)
{
    const UniqueFd fd = open_file(path, O_RDONLY);
    constexpr std::string_view qcow2("QFI\xfb", 4);
    std::array<char, qcow2.size()> begin{};
    if (::pread(fd.get(), begin.data(), begin.size(), 0) < 0)
        throw SystemError(errno, "read '" + path + "'");
    return std::string_view(begin.data(), begin.size()) == qcow2 ? "qcow2" : "raw";
}

/// A partition has the name that the kernel gives it; all others need one.
void check_request(const PoolDefinition& pool, const VolumeRequest& request)
{
    if (pool.type == PoolType::disk && !request.name.empty())
        throw UsageError("volumes of a pool of type disk are partitions, which the kernel names",
                         "leave out --name");
    if (pool.type != PoolType::disk)
        check_new_volume_name(request.name);
    if (!request.format.empty() && request.format != "raw" && request.format != "qcow2")
        throw UsageError(fmt::format("'{}' is no format", request.format), "choose raw or qcow2");
    if (pool.type != PoolType::fs && request.format == "qcow2")
        throw UsageError("only a pool of type fs has qcow2 files", "leave out --format");
}

void refuse_open_volume(const Admin& admin, const PoolDefinition& pool, const std::string& volume)
{
    const std::string path = volume_path(admin.paths, pool, volume);
    std::error_code ignored;
    const auto real = std::filesystem::canonical(path, ignored);
    const std::string users =
        pool.type == PoolType::fs
            ? openers_of_file(admin.paths, path)
            : openers_of_device(admin.paths, device_number(admin.paths, real.filename()));
    if (!users.empty())
        throw Error(fmt::format("'{}' is in use by {}", path, users),
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
    check_request(pool, request);
    const FileLock lock = lock_pool(admin.paths, name);
    const LibvirtConnection libvirt(admin.uri);
    libvirt.refresh_pool(name);
    const std::string volume = pool.type == PoolType::disk
                                   ? fmt::format("md{}p{}", pool.md_number,
                                                 next_partition(admin, pool, libvirt.volumes(name)))
                                   : request.name;
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

void delete_volume(const Admin& admin, const std::string& name, const std::string& volume)
{
    const PoolDefinition pool = load_registered(admin, name);
    check_volume_name(pool, volume);
    const FileLock lock = lock_pool(admin.paths, name);
    const LibvirtConnection libvirt(admin.uri);
    if (pool.type != PoolType::disk) {
        libvirt.refresh_pool(name);
        refuse_open_volume(admin, pool, volume); // libvirt would delete a file that is in use
        libvirt.delete_volume(name, volume);
        return;
    }
    const int number = partition_number(pool, volume);
    if (!delete_partition(admin.paths, pool.md_kernel_name(), number, lock.fd()))
        throw Error(fmt::format("there is no volume '{}'", volume),
                    fmt::format("zraid-pool vol-list {}", name));
    settle_udev();
    libvirt.refresh_pool(name);
}

std::string volume_disk_xml(const Admin& admin, const std::string& name, const std::string& volume,
                            const std::string& target)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    check_volume_name(pool, volume);
    const std::string path = volume_path(admin.paths, pool, volume);
    if (pool.type != PoolType::fs)
        return fill_template(admin.paths, "domain-disk.xml", {{"PATH", path}, {"TARGET", target}});
    if (layout_of(admin.paths, pool)->state() != LayoutState::up)
        throw Error("its file system is not mounted", fmt::format("zraid-pool start {}", name));
    return fill_template(admin.paths, "domain-disk-file.xml",
                         {{"PATH", path}, {"TARGET", target}, {"FORMAT", format_of_file(path)}});
}

} // namespace zraid
