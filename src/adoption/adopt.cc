#include "adoption/adopt.h"

#include "admin/libvirt_pool.h"
#include "adoption/adoptable.h"
#include "adoption/adopted_domain.h"
#include "adoption/adopted_image.h"
#include "adoption/adopted_volume.h"
#include "adoption/choose_adoption.h"
#include "adoption/release.h"
#include "libvirt/domain_disk.h"
#include "mirror/mirror.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/log.h"

#include <fmt/core.h>

namespace zraid {

namespace {

void make_pool(const Admin& admin, const LibvirtConnection& libvirt, const AdoptionRecord& record,
               const FileLock& lock)
{
    const AdoptedImage image(admin.paths, record);
    Mirror mirror(admin.paths, record.pool, lock);
    if (image.is_shown())
        image.refuse_unmovable(); // before anything is changed
    image.hide();
    if (!image.is_array()) {
        mirror.stop(); // a loop device that a killed one left
        image.shift_in();
    }
    mirror.create();
    image.forget_map();
    make_adopted_volume(admin.paths, record, lock.fd());
    register_pool(admin, libvirt, record.pool);
}

/// The copy counts as the disk from the moment on in which this is written down: from then on the
/// domain may get the volume, and what the guest writes is there alone.
void copy_into_pool(const Admin& admin, const LibvirtConnection& libvirt,
                    const LibvirtDomains& domains, AdoptionRecord& record, const FileLock& lock,
                    const Progress& show)
{
    const CopiedImage image(admin.paths, record);
    Mirror mirror(admin.paths, record.pool, lock);
    if (image.is_shown()) {
        refuse_domain_state(need_domain(domains, record.domain_uuid.text()));
        // Whatever a killed one has copied may be older than the disk.
        const std::string stamp = image.begin();
        deactivate_pool(libvirt, record.pool);
        mirror.stop();
        image.make_pool_image();
        mirror.create();
        make_adopted_volume(admin.paths, record, lock.fd());
        in_context("copy the disk", [&] { image.copy(show, lock.fd()); });
        refuse_domain_state(need_domain(domains, record.domain_uuid.text()));
        image.hide(stamp);
    }
    mirror.assemble();
    check_adopted_volume(admin.paths, record);
    register_pool(admin, libvirt, record.pool);
    record.phase = AdoptionPhase::adopted;
    AdoptionStore(admin.paths).save(record);
}

/// One that was killed before the domain got its volume.
void finish(const LibvirtDomains& domains, const LibvirtDomain& domain,
            const AdoptionRecord& record)
{
    const auto disk = find_domain_disk(domain.xml, record.target);
    const auto before = find_domain_disk(record.domain_xml, record.target);
    if (record.way == AdoptionWay::copied && disk && before && disk->path == before->path)
        give_volume(domains, record);
}

void save_definition(const Admin& admin, const AdoptionRecord& record)
{
    const PoolStore pools(admin.paths);
    if (!pools.contains(record.pool.name))
        pools.save(record.pool);
}

} // namespace

AdoptionRecord adopt_disk(const Admin& admin, const AdoptRequest& request, const Progress& show)
{
    const LibvirtConnection libvirt(admin.uri);
    const LibvirtDomains domains(admin.uri);
    const LibvirtDomain domain = need_domain(domains, request.domain);
    std::optional<FileLock> all(lock_pool(admin.paths, ".define"));
    const auto old = find_begun_adoption(admin, request, domain);
    AdoptionRecord record = old ? *old : choose_adoption(admin, libvirt, domain, request).record;
    const FileLock lock = lock_pool(admin.paths, record.pool.name);
    if (old) {
        const auto now = find_begun_adoption(admin, request, domain); // with the pool's lock
        if (!now)
            throw Error("it was released meanwhile", "try again");
        record = *now;
    } else {
        AdoptionStore(admin.paths).save(record);
    }
    if (record.phase == AdoptionPhase::adopted) {
        finish(domains, domain, record);
        return record;
    }
    try {
        save_definition(admin, record);
        if (record.way == AdoptionWay::copied) {
            all.reset(); // others need not wait for a copy: the definition is there
            copy_into_pool(admin, libvirt, domains, record, lock, show);
            give_volume(domains, record);
        } else {
            make_pool(admin, libvirt, record, lock);
            give_volume(domains, record);
            record.phase = AdoptionPhase::adopted;
            AdoptionStore(admin.paths).save(record);
        }
    } catch (...) {
        record.phase = AdoptionPhase::adopting;
        try {
            ReleaseReport ignored;
            undo_adoption(admin, record, lock, ignored);
        } catch (const std::exception& e) {
            log().warn("it could not be undone: {}. zraid-pool release {} {} does it", explain(e),
                       domain.name, request.target);
        }
        throw;
    }
    if (record.pool.settings.attach == AttachPolicy::always) {
        Mirror mirror(admin.paths, record.pool, lock);
        attach_if_possible(admin.paths, mirror, record.pool.name);
    }
    return record;
}

} // namespace zraid
