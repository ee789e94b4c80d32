#include "admin/users.h"
#include "adoption/adopted_domain.h"
#include "adoption/adopted_volume.h"
#include "adoption/releasable.h"
#include "adoption/release.h"
#include "mirror/state.h"

namespace zraid {

ReleasePlan plan_release(const Admin& admin, const std::string& domain, const std::string& target)
{
    ReleasePlan plan;
    plan.record = find_adoption(admin, domain, target);
    plan.has_file = has_its_file(admin, plan.record);
    const DiskGivenBack back = old_disk_of(LibvirtDomains(admin.uri), plan.record);
    plan.disk = back.disk_xml;
    if (!back.remark.empty())
        plan.remarks.push_back(back.remark);
    if (plan.has_file)
        return plan;
    const std::string& name = plan.record.pool.name;
    refuse_release(admin, plan.record, dead_claims(admin, name));
    if (plan.record.phase == AdoptionPhase::adopted &&
        view_pool(admin.paths, plan.record.pool).state() != PoolState::inactive)
        check_adopted_volume(admin.paths, plan.record);
    return plan;
}

} // namespace zraid
