#pragma once

#include "libvirt/domains.h"
#include "pools/adoption_record.h"

#include <string>

namespace zraid {

/// @param name of a domain, or its UUID
/// @throws Error if there is none
LibvirtDomain need_domain(const LibvirtDomains& domains, const std::string& name);

/// Does the domain, as it is defined now, have the volume as that disk?
/// @return nothing: there is no such domain, or it has no such disk
std::optional<bool> has_volume(const LibvirtDomains& domains, const AdoptionRecord& record);

/// The domain as it is now, which may have been edited since, gets the volume.
/// @throws Error if its disk is another one by now
void give_volume(const LibvirtDomains& domains, const AdoptionRecord& record);

/// The domain as it is now, with its old <disk>.
struct DiskGivenBack
{
    std::string domain_xml; ///< to be defined; empty: the domain stays as it is
    std::string disk_xml;   ///< empty: it has no such disk
    std::string remark;     ///< what is left to be done by hand; empty: nothing
};
DiskGivenBack old_disk_of(const LibvirtDomains& domains, const AdoptionRecord& record);

/// The domain as it is now gets its old <disk> back.
/// @return what is left to be done by hand; empty: nothing
std::string take_volume(const LibvirtDomains& domains, const AdoptionRecord& record);

} // namespace zraid
