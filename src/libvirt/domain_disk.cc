#include "libvirt/domain_disk.h"

#include "util/error.h"

#include <array>
#include <sstream>
#include <utility>

#include <pugixml.hpp>

#include <fmt/core.h>

namespace zraid {

namespace {

// Everything as it is, blanks of a description and metadata of others too.
constexpr unsigned kParse = pugi::parse_default | pugi::parse_ws_pcdata | pugi::parse_comments |
                            pugi::parse_pi | pugi::parse_declaration;
constexpr unsigned kFormat = pugi::format_raw | pugi::format_no_declaration;

/// Attributes of <driver> that adopting sets. `always`: whatever was there.
struct DriverSetting
{
    const char* name;
    const char* value;
    bool always;
};
constexpr std::array<DriverSetting, 5> kSettings{{{"type", "raw", true},
                                                  {"cache", "none", true},
                                                  {"io", "native", true},
                                                  {"discard", "unmap", false},
                                                  {"detect_zeroes", "unmap", false}}};

std::string text_of(const pugi::xml_node& node)
{
    std::ostringstream out;
    node.print(out, "", kFormat);
    return out.str();
}

pugi::xml_document parse(const std::string& xml, const char* root)
{
    pugi::xml_document document;
    if (!document.load_string(xml.c_str(), kParse) || !document.child(root))
        throw Error(fmt::format("libvirt's XML of the {} is broken", root));
    return document;
}

pugi::xml_node disk_in(const pugi::xml_document& document, const std::string& target)
{
    for (const pugi::xml_node& disk : document.child("domain").child("devices").children("disk")) {
        if (target == disk.child("target").attribute("dev").as_string())
            return disk;
    }
    return {};
}

pugi::xml_node need_disk(const pugi::xml_document& document, const std::string& target)
{
    const pugi::xml_node disk = disk_in(document, target);
    if (!disk)
        throw Error(fmt::format("the domain has no disk '{}'", target));
    return disk;
}

void set(pugi::xml_node node, const char* name, const char* value)
{
    pugi::xml_attribute attribute = node.attribute(name);
    if (!attribute)
        attribute = node.append_attribute(name);
    attribute.set_value(value);
}

std::string obstacle_of(const pugi::xml_node& disk)
{
    const pugi::xml_node source = disk.child("source");
    for (const auto& [element, what] : {std::pair{"shareable", "is shared"},
                                        {"readonly", "is read-only"},
                                        {"transient", "is transient"},
                                        {"mirror", "is being copied by libvirt"},
                                        {"encryption", "is encrypted by libvirt"}}) {
        if (disk.child(element))
            return what;
    }
    if (source.child("encryption"))
        return "is encrypted by libvirt";
    if (source.child("slices"))
        return "is a part of its file";
    if (source.child("reservations"))
        return "has persistent reservations";
    if (disk.child("backingStore").child("source"))
        return "has a backing chain";
    return {};
}

} // namespace

std::optional<DomainDisk> find_domain_disk(const std::string& domain_xml, const std::string& target)
{
    const pugi::xml_document document = parse(domain_xml, "domain");
    const pugi::xml_node disk = disk_in(document, target);
    if (!disk)
        return std::nullopt;
    const pugi::xml_node source = disk.child("source");
    DomainDisk found;
    found.type = disk.attribute("type").as_string("file");
    found.device = disk.attribute("device").as_string("disk");
    found.format = disk.child("driver").attribute("type").as_string("raw");
    const pugi::xml_attribute device = source.attribute("dev");
    found.path = device ? device.as_string() : source.attribute("file").as_string();
    found.xml = text_of(disk);
    found.obstacle = obstacle_of(disk);
    return found;
}

std::string move_disk_to_device(const std::string& domain_xml, const std::string& target,
                                const std::string& device)
{
    const pugi::xml_document document = parse(domain_xml, "domain");
    pugi::xml_node disk = need_disk(document, target);
    set(disk, "type", "block");
    pugi::xml_node driver = disk.child("driver");
    if (!driver) {
        driver = disk.prepend_child("driver");
        driver.append_attribute("name").set_value("qemu");
    }
    for (const DriverSetting& setting : kSettings) {
        if (setting.always || !driver.attribute(setting.name))
            set(driver, setting.name, setting.value);
    }
    driver.remove_child("metadata_cache"); // of qcow2
    pugi::xml_node source = disk.child("source");
    for (const char* of_file : {"file", "startupPolicy", "index"})
        source.remove_attribute(of_file);
    set(source, "dev", device.c_str());
    disk.remove_child("backingStore");
    return text_of(document);
}

std::string move_disk_back(const std::string& domain_xml, const std::string& target,
                           const std::string& old_disk, const std::string& device)
{
    const pugi::xml_document document = parse(domain_xml, "domain");
    const pugi::xml_document old_document = parse(old_disk, "disk");
    const pugi::xml_node old = old_document.child("disk");
    pugi::xml_node disk = need_disk(document, target);
    if (device != disk.child("source").attribute("dev").as_string())
        throw Error(fmt::format("disk '{}' of the domain is not on '{}' any more", target, device));
    set(disk, "type", old.attribute("type").as_string("file"));
    pugi::xml_node driver = disk.child("driver");
    for (const DriverSetting& setting : kSettings) {
        if (std::string(setting.value) != driver.attribute(setting.name).as_string())
            continue; // the administrator's by now
        if (const pugi::xml_attribute before = old.child("driver").attribute(setting.name))
            set(driver, setting.name, before.value());
        else
            driver.remove_attribute(setting.name);
    }
    if (const pugi::xml_node cache = old.child("driver").child("metadata_cache");
        cache && !driver.child("metadata_cache"))
        driver.append_copy(cache);
    pugi::xml_node source = disk.child("source");
    source.remove_attribute("dev");
    for (const pugi::xml_attribute& attribute : old.child("source").attributes())
        set(source, attribute.name(), attribute.value());
    return text_of(document);
}

} // namespace zraid
