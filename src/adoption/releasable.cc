#include "adoption/releasable.h"

#include "admin/users.h"
#include "adoption/adoptable.h"
#include "adoption/adopted_image.h"
#include "adoption/copy_back.h"
#include "devices/block_tree.h"
#include "libvirt/connection.h"
#include "libvirt/domains.h"
#include "pools/store.h"
#include "util/error.h"

#include <fmt/core.h>

namespace zraid {

namespace {

/// Nobody but the domain's disk may have anything of the pool.
void refuse_other_disks(const Admin& admin, const AdoptionRecord& record)
{
    const PoolDefinition& pool = record.pool;
    for (const LibvirtDisk& disk : LibvirtConnection(admin.uri).disks()) {
        const bool ours = disk.domain == record.domain && disk.target == record.target;
        const bool here = disk.pool == pool.name ||
                          md_number_in_path(admin.paths, disk.path) == pool.md_number ||
                          disk.path.starts_with("/dev/zraid/" + pool.name + "/");
        if (here && !ours)
            throw Error(fmt::format("disk '{}' of domain '{}' is on the pool too", disk.target,
                                    disk.domain),
                        "give that domain another disk first");
    }
}

void refuse_other_definition(const Admin& admin, const AdoptionRecord& record)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(record.pool.name);
    if (pool.size != record.pool.size || pool.uuid != record.pool.uuid ||
        pool.image != record.pool.image)
        throw Error("the pool was resized, or defined anew, since it adopted the disk",
                    fmt::format("copy the disk out instead: qemu-img convert -O raw {} FILE",
                                record.device()));
}

} // namespace

bool has_its_file(const Admin& admin, const AdoptionRecord& record)
{
    if (record.way == AdoptionWay::inserted)
        return AdoptedImage(admin.paths, record).is_shown();
    return record.phase == AdoptionPhase::adopting || is_copied_back(admin, record);
}

void refuse_release(const Admin& admin, const AdoptionRecord& record,
                    const std::vector<Claim>& dead)
{
    const bool copied = record.way == AdoptionWay::copied;
    if (const auto owner = LibvirtDomains(admin.uri).find(record.domain_uuid.text()))
        refuse_domain_state(*owner);
    refuse_other_disks(admin, record);
    refuse_users(admin, record.pool.name, dead);
    if (record.phase == AdoptionPhase::adopted || copied)
        refuse_other_definition(admin, record);
    if (copied)
        need_room_for_release(record);
}

} // namespace zraid
