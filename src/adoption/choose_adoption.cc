#include "adoption/choose_adoption.h"

#include "admin/libvirt_pool.h"
#include "adoption/adoptable.h"
#include "pools/store.h"
#include "util/error.h"

#include <fmt/core.h>

namespace zraid {

std::optional<AdoptionRecord> find_begun_adoption(const Admin& admin, const AdoptRequest& request,
                                                  const LibvirtDomain& domain)
{
    const auto record = AdoptionStore(admin.paths).find(domain.uuid.text(), request.target);
    if (!record)
        return record;
    if (record->phase == AdoptionPhase::releasing)
        throw Error("its release was begun", fmt::format("zraid-pool release {} {} finishes it",
                                                         domain.name, request.target));
    if (!request.pool.name.empty() && request.pool.name != record->pool.name)
        throw Error(
            fmt::format("it is on pool '{}' already", record->pool.name),
            fmt::format("zraid-pool release {} {} takes it back", domain.name, request.target));
    return record;
}

ChosenAdoption choose_adoption(const Admin& admin, const LibvirtConnection& libvirt,
                               const LibvirtDomain& domain, const AdoptRequest& request)
{
    const AdoptionWay way =
        request.copy || request.convert ? AdoptionWay::copied : AdoptionWay::inserted;
    const AdoptableDisk disk =
        find_adoptable_disk(admin, libvirt, domain, request.target, way, request.convert);
    DefineRequest define = request.pool;
    define.image = adopted_image_path(disk.image);
    if (define.name.empty())
        define.name = domain.name + "-" + request.target;
    check_request(define);
    const PoolStore pools(admin.paths);
    if (pools.contains(define.name) || AdoptionStore(admin.paths).contains(define.name))
        throw Error(fmt::format("there is a pool '{}' already", define.name),
                    "give another name with --name");
    ChosenAdoption chosen;
    chosen.to_copy = disk.to_copy;
    AdoptionRecord& record = chosen.record;
    record.domain = domain.name;
    record.domain_uuid = domain.uuid;
    record.target = request.target;
    record.image = disk.image;
    record.format = disk.format;
    record.qcow2 = disk.qcow2;
    record.size = disk.size;
    record.way = way;
    record.domain_xml = domain.xml;
    record.disk_xml = disk.xml;
    record.pool =
        choose_definition(admin, define, pools.load_all(), Uuid::random(), adopted_size(disk.size));
    refuse_foreign_pool(libvirt, record.pool);
    return chosen;
}

} // namespace zraid
