#include "adoption/adopted_domain.h"

#include "libvirt/domain_disk.h"
#include "util/error.h"

#include <fmt/core.h>

namespace zraid {

LibvirtDomain need_domain(const LibvirtDomains& domains, const std::string& name)
{
    auto domain = domains.find(name);
    if (!domain)
        throw Error(fmt::format("there is no domain '{}'", name), "virsh list --all shows them");
    return std::move(*domain);
}

std::optional<bool> has_volume(const LibvirtDomains& domains, const AdoptionRecord& record)
{
    const auto domain = domains.find(record.domain_uuid.text());
    const auto disk = domain ? find_domain_disk(domain->xml, record.target) : std::nullopt;
    return disk ? std::optional(disk->path == record.device()) : std::nullopt;
}

void give_volume(const LibvirtDomains& domains, const AdoptionRecord& record)
{
    const LibvirtDomain domain = need_domain(domains, record.domain_uuid.text());
    const auto disk = find_domain_disk(domain.xml, record.target);
    if (disk && disk->path == record.device())
        return;
    const auto before = find_domain_disk(record.domain_xml, record.target);
    if (!disk || !before || disk->path != before->path)
        throw Error(fmt::format("disk '{}' of domain '{}' was changed meanwhile", record.target,
                                domain.name));
    domains.define(move_disk_to_device(domain.xml, record.target, record.device()));
}

DiskGivenBack old_disk_of(const LibvirtDomains& domains, const AdoptionRecord& record)
{
    const auto domain = domains.find(record.domain_uuid.text());
    const auto disk = domain ? find_domain_disk(domain->xml, record.target) : std::nullopt;
    if (!disk)
        return {{},
                {},
                fmt::format("there is no disk '{}' of a domain '{}' any more; its file is '{}'",
                            record.target, record.domain, record.image)};
    if (disk->path == record.device()) {
        std::string xml =
            move_disk_back(domain->xml, record.target, record.disk_xml, record.device());
        std::string disk_xml = find_domain_disk(xml, record.target)->xml;
        return {std::move(xml), std::move(disk_xml), {}};
    }
    if (disk->xml == record.disk_xml || disk->path == record.image)
        return {{}, disk->xml, {}};
    return {{},
            disk->xml,
            fmt::format("disk '{}' of domain '{}' was changed since, it stays as it is; the file "
                        "is '{}'",
                        record.target, domain->name, record.image)};
}

std::string take_volume(const LibvirtDomains& domains, const AdoptionRecord& record)
{
    const DiskGivenBack back = old_disk_of(domains, record);
    if (!back.domain_xml.empty())
        domains.define(back.domain_xml);
    return back.remark;
}

} // namespace zraid
