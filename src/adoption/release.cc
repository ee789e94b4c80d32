#include "adoption/release.h"

#include "admin/libvirt_pool.h"
#include "admin/users.h"
#include "adoption/adopted_domain.h"
#include "adoption/adopted_image.h"
#include "adoption/adopted_volume.h"
#include "adoption/copied_image.h"
#include "adoption/copy_back.h"
#include "adoption/releasable.h"
#include "devices/file_id.h"
#include "mirror/hold.h"
#include "mirror/mirror.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/rollback.h"

#include <optional>

#include <fmt/core.h>

namespace zraid {

namespace {

void refuse_other_volumes(const Admin& admin, const AdoptionRecord& record, const FileLock& lock)
{
    Mirror(admin.paths, record.pool, lock).assemble();
    check_adopted_volume(admin.paths, record);
}

void take_volume_from(const Admin& admin, const AdoptionRecord& record, ReleaseReport& report)
{
    const std::string remark = take_volume(LibvirtDomains(admin.uri), record);
    if (!remark.empty())
        report.remarks.push_back(remark);
}

void stop_pool_of(const Admin& admin, const LibvirtConnection& libvirt,
                  const AdoptionRecord& record, const FileLock& lock)
{
    Rollback rollback;
    deactivate_pool(admin, libvirt, record.pool, rollback);
    Mirror(admin.paths, record.pool, lock).stop();
    rollback.keep();
}

/// The definition goes late: it keeps the md number, to which the domain may still point.
void end_pool(const Admin& admin, const LibvirtConnection& libvirt, const AdoptionRecord& record)
{
    unregister_pool(libvirt, record.pool);
    set_hold(admin.paths, record.pool.name, Hold::none);
    PoolStore(admin.paths).remove(record.pool.name);
}

void undo_insertion(const Admin& admin, AdoptionRecord& record, const FileLock& lock,
                    ReleaseReport& report)
{
    const LibvirtConnection libvirt(admin.uri);
    const AdoptedImage image(admin.paths, record);
    if (!image.is_shown()) {
        stop_pool_of(admin, libvirt, record, lock);
        if (record.phase == AdoptionPhase::adopted) {
            record.phase = AdoptionPhase::releasing;
            AdoptionStore(admin.paths).save(record);
        }
        image.shift_out();
        image.show();
    }
    take_volume_from(admin, record, report);
    end_pool(admin, libvirt, record);
    AdoptionStore(admin.paths).remove(record.pool.name);
}

/// Of a copy that the guest has never had.
void undo_copy(const Admin& admin, AdoptionRecord& record, const FileLock& lock,
               ReleaseReport& report)
{
    const LibvirtConnection libvirt(admin.uri);
    const CopiedImage image(admin.paths, record);
    stop_pool_of(admin, libvirt, record, lock);
    // Before the record says so, the domain must not have the volume.
    take_volume_from(admin, record, report);
    record.phase = AdoptionPhase::adopting;
    AdoptionStore(admin.paths).save(record);
    image.show();
    end_pool(admin, libvirt, record);
    image.remove_pool_image();
    AdoptionStore(admin.paths).remove(record.pool.name);
}

/// Of a copy that the guest may have written to.
void end_copy(const Admin& admin, AdoptionRecord& record, const FileLock& lock,
              ReleaseReport& report, const Progress& show)
{
    const LibvirtConnection libvirt(admin.uri);
    if (!is_copied_back(admin, record))
        copy_back(admin, record, lock, show);
    report.image = record.image;
    stop_pool_of(admin, libvirt, record, lock);
    take_volume_from(admin, record, report);
    end_pool(admin, libvirt, record);
    CopiedImage(admin.paths, record).remove_pool_image();
    AdoptionStore(admin.paths).remove(record.pool.name);
    const std::string kept = kept_image_path(record.image);
    if (file_id(kept))
        report.remarks.push_back(fmt::format("remove '{}', the disk as it was when it was adopted, "
                                             "if nobody needs it",
                                             kept));
}

} // namespace

AdoptionRecord find_adoption(const Admin& admin, const std::string& domain,
                             const std::string& target)
{
    const auto found = AdoptionStore(admin.paths).find(domain, target);
    if (!found)
        throw Error(fmt::format("disk '{}' of domain '{}' was not adopted", target, domain),
                    "zraid-pool undefine takes away a pool that was made by define");
    return *found;
}

void undo_adoption(const Admin& admin, AdoptionRecord& record, const FileLock& lock,
                   ReleaseReport& report)
{
    report.image = record.image;
    if (record.way == AdoptionWay::copied)
        undo_copy(admin, record, lock, report);
    else
        undo_insertion(admin, record, lock, report);
}

ReleaseReport release_disk(const Admin& admin, const std::string& domain, const std::string& target,
                           const Progress& show)
{
    const std::string name = find_adoption(admin, domain, target).pool.name;
    const auto dead = dead_claims(admin, name);
    std::optional<FileLock> all(lock_pool(admin.paths, ".define"));
    const FileLock lock = lock_pool(admin.paths, name);
    AdoptionRecord record = AdoptionStore(admin.paths).load(name);
    const bool copied = record.way == AdoptionWay::copied;
    if (!has_its_file(admin, record)) {
        refuse_release(admin, record, dead);
        drop_claims(admin, name, dead);
        if (record.phase == AdoptionPhase::adopted || copied)
            refuse_other_volumes(admin, record, lock);
    }
    ReleaseReport report;
    if (copied && record.phase != AdoptionPhase::adopting) {
        all.reset(); // others need not wait for a copy
        end_copy(admin, record, lock, report, show);
    } else {
        undo_adoption(admin, record, lock, report);
    }
    return report;
}

} // namespace zraid
