#pragma once

#include <optional>
#include <string>

namespace zraid {

/// One disk of a domain's XML, and what keeps it from being moved to a pool.
struct DomainDisk
{
    std::string type;     ///< "file", "block", "volume", "network", …
    std::string device;   ///< "disk", "cdrom", …
    std::string format;   ///< of <driver>: "raw", "qcow2"; libvirt's default is raw
    std::string path;     ///< of a file or block device
    std::string xml;      ///< the element as it is
    std::string obstacle; ///< "is shared", "is read-only", …; empty: none
};

/// @param domain_xml as libvirt gives it
/// @param target name of the disk, such as "vda"
/// @return nothing if the domain has no such disk
/// @throws Error if it is no domain XML
std::optional<DomainDisk> find_domain_disk(const std::string& domain_xml,
                                           const std::string& target);

/// The domain's XML with that disk on a block device: cache='none' io='native', discard where
/// nothing was said about it. Target, bus, boot order, serial, address, alias and all else stay.
std::string move_disk_to_device(const std::string& domain_xml, const std::string& target,
                                const std::string& device);

/// Takes back what move_disk_to_device() changed in that disk; what was changed since stays.
/// @param old_disk the <disk> as it was before
/// @param device that the disk was moved to
std::string move_disk_back(const std::string& domain_xml, const std::string& target,
                           const std::string& old_disk, const std::string& device);

} // namespace zraid
