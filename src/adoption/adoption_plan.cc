#include "adoption/adopt.h"
#include "adoption/adopted_domain.h"
#include "adoption/adopted_image.h"
#include "adoption/choose_adoption.h"
#include "libvirt/domain_disk.h"

namespace zraid {

AdoptionPlan plan_adoption(const Admin& admin, const AdoptRequest& request)
{
    const LibvirtConnection libvirt(admin.uri);
    const LibvirtDomains domains(admin.uri);
    const LibvirtDomain domain = need_domain(domains, request.domain);
    AdoptionPlan plan;
    if (const auto begun = find_begun_adoption(admin, request, domain)) {
        plan.record = *begun;
        plan.is_begun = true;
    } else {
        const ChosenAdoption chosen = choose_adoption(admin, libvirt, domain, request);
        plan.record = chosen.record;
        plan.to_copy = chosen.to_copy;
        if (plan.record.way == AdoptionWay::inserted)
            AdoptedImage(admin.paths, plan.record).refuse_unmovable();
    }
    const std::string xml =
        move_disk_to_device(plan.record.domain_xml, request.target, plan.record.device());
    plan.new_disk = find_domain_disk(xml, request.target)->xml;
    return plan;
}

} // namespace zraid
