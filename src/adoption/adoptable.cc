#include "adoption/adoptable.h"

#include "adoption/copied_image.h"
#include "adoption/hidden_file.h"
#include "devices/block_tree.h"
#include "devices/file_id.h"
#include "devices/loop.h"
#include "libvirt/domain_disk.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/log.h"
#include "util/size.h"

#include <cerrno>
#include <vector>

#include <fmt/core.h>
#include <sys/stat.h>

namespace zraid {

namespace {

/// What md's part and both partition tables take of the file system, bytes.
constexpr std::uint64_t kPoolOverhead = 4 * MiB;

void refuse_kind(const Admin& admin, const DomainDisk& disk, const std::string& name)
{
    if (disk.device != "disk")
        throw Error(fmt::format("{} is a {}", name, disk.device), "give the name of a hard disk");
    if (disk.type == "volume")
        throw Error(fmt::format("{} is a volume of a storage pool", name),
                    "where that is a file, write its path into the domain (virsh edit): "
                    "type='file'; a volume of one of zraid's pools needs no adopting");
    if (disk.type == "block") {
        if (md_number_in_path(admin.paths, disk.path) >= 0 || disk.path.starts_with("/dev/zraid/"))
            throw Error(fmt::format("{} is on '{}' already", name, disk.path),
                        "zraid-pool list shows the pools");
        throw Error(fmt::format("{} is a block device", name),
                    "copy it to a file, or to a volume of a pool");
    }
    if (disk.type != "file")
        throw Error(fmt::format("{} is of type '{}', not a file", name, disk.type),
                    "copy it to a volume of a pool: zraid-pool define, vol-create, qemu-img "
                    "convert");
    if (!disk.obstacle.empty())
        throw Error(fmt::format("{} {}", name, disk.obstacle),
                    disk.obstacle == "has a backing chain"
                        ? "make one file of it: qemu-img convert -O raw, then virsh edit"
                        : "a pool is no place for it");
}

/// What --convert would take, as far as that can be told.
std::string room_for(const DomainDisk& disk)
{
    try {
        return fmt::format(", for which '{}' needs {} of room",
                           std::filesystem::canonical(disk.path).parent_path().string(),
                           format_size(bytes_to_copy({disk.path, disk.format}) + kPoolOverhead));
    } catch (const std::exception& e) {
        log().debug("{}", explain(e)); // the refusal is what matters
        return {};
    }
}

void refuse_format(const DomainDisk& disk, const std::string& name, bool convert)
{
    if (convert && disk.format == "raw")
        throw Error(fmt::format("{} is raw: there is nothing to convert", name),
                    "leave out --convert");
    if (!convert && disk.format == "qcow2")
        throw Error(
            fmt::format("{} is qcow2, not raw", name),
            fmt::format("--convert copies it into a raw image and keeps it{}", room_for(disk)));
    if (disk.format != "raw" && disk.format != "qcow2")
        throw Error(fmt::format("{} is {}, not raw", name, disk.format),
                    "make a raw file of it: qemu-img convert -O raw, then virsh edit the domain");
}

/// Path of the file itself, whatever links lead to it.
std::string real_path(const std::string& path)
{
    std::error_code code;
    const auto real = std::filesystem::canonical(path, code);
    if (code)
        throw SystemError(code.value(), fmt::format("open '{}'", path),
                          "bring the file back, or mount what it lies on");
    return real;
}

std::uint64_t size_of_file(const std::string& image)
{
    struct stat info = {};
    if (::stat(image.c_str(), &info) != 0)
        throw SystemError(errno, "stat '" + image + "'");
    if (!S_ISREG(info.st_mode))
        throw Error(fmt::format("'{}' is no regular file", image));
    if (info.st_nlink != 1)
        throw Error(
            fmt::format("'{}' has another name, a hard link", image),
            fmt::format("find -samefile '{}' shows it; remove the one that is not needed", image));
    if (info.st_size == 0)
        throw Error(fmt::format("'{}' is empty", image));
    return static_cast<std::uint64_t>(info.st_size);
}

void refuse_other_users(const Admin& admin, const LibvirtConnection& libvirt,
                        const LibvirtDomain& domain, const std::string& target,
                        const std::string& image, AdoptionWay way)
{
    const auto file = file_id(image);
    for (const LibvirtDisk& disk : libvirt.disks()) {
        const bool ours = disk.domain == domain.name && disk.target == target;
        if (!ours && !disk.path.empty() && (disk.path == image || file_id(disk.path) == file))
            throw Error(fmt::format("'{}' is also disk '{}' of domain '{}'", image, disk.target,
                                    disk.domain),
                        "give that domain an image of its own");
    }
    for (const StoredPool& pool : PoolStore(admin.paths).load_all()) {
        if (pool.definition && file_id(pool.definition->image) == file)
            throw Error(fmt::format("'{}' is the image of pool '{}'", image, pool.name));
    }
    for (const Loop& loop : loops_of(admin.paths, *file))
        throw Error(fmt::format("'{}' is attached to /dev/{}", image, loop.name),
                    fmt::format("unmount it if it is mounted, then losetup -d /dev/{}", loop.name));
    std::vector<std::string> names{adopted_image_path(image), image + ".zraid-backup"};
    if (way == AdoptionWay::copied)
        names = {adopted_image_path(image), kept_image_path(image), new_image_path(image)};
    for (const std::string& taken : names) {
        if (file_id(taken))
            throw Error(fmt::format("there is a file '{}'", taken), "move it away");
    }
}

void read_qcow2(AdoptableDisk& disk, const std::string& name)
{
    const Qcow2Info info = read_qcow2_info(disk.image);
    if (!info.obstacle.empty())
        throw Error(fmt::format("{} {}", name, info.obstacle), info.next);
    disk.size = info.virtual_size;
    disk.qcow2 = info.layout;
}

} // namespace

void refuse_domain_state(const LibvirtDomain& domain)
{
    if (!domain.persistent)
        throw Error(fmt::format("domain '{}' is not defined, it only runs", domain.name),
                    "define it first");
    if (domain.running)
        throw Error(fmt::format("domain '{}' runs", domain.name), "shut it down first");
    if (domain.saved)
        throw Error(
            fmt::format("domain '{}' is saved, with its disk as it is now", domain.name),
            fmt::format("start it and shut it down, or virsh managedsave-remove {}", domain.name));
    if (domain.snapshots > 0)
        throw Error(fmt::format("domain '{}' has snapshots or checkpoints", domain.name),
                    fmt::format("virsh snapshot-list {0}, virsh checkpoint-list {0}; delete them",
                                domain.name));
}

AdoptableDisk find_adoptable_disk(const Admin& admin, const LibvirtConnection& libvirt,
                                  const LibvirtDomain& domain, const std::string& target,
                                  AdoptionWay way, bool convert)
{
    refuse_domain_state(domain);
    const auto disk = find_domain_disk(domain.xml, target);
    if (!disk)
        throw Error(fmt::format("domain '{}' has no disk '{}'", domain.name, target),
                    fmt::format("virsh domblklist {} shows them", domain.name));
    const std::string name = fmt::format("disk '{}' of domain '{}'", target, domain.name);
    refuse_kind(admin, *disk, name);
    refuse_format(*disk, name, convert);
    AdoptableDisk found;
    found.image = real_path(disk->path);
    found.size = size_of_file(found.image);
    found.format = disk->format;
    found.xml = disk->xml;
    refuse_other_users(admin, libvirt, domain, target, found.image, way);
    if (way == AdoptionWay::copied)
        refuse_open_file(admin.paths, found.image);
    if (found.format == "qcow2")
        read_qcow2(found, name);
    if (adopted_size(found.size) > kMaxImageSize)
        throw Error(fmt::format("'{}' is too large for a pool", found.image),
                    "zram cannot mirror more than 16 TiB");
    if (way == AdoptionWay::copied) {
        found.to_copy = bytes_to_copy({found.image, found.format});
        need_room(std::filesystem::path(found.image).parent_path(), found.to_copy + kPoolOverhead,
                  "make room there, or move the image to a larger file system");
    }
    return found;
}

} // namespace zraid
