#include "domains/domain_xml.h"

#include "util/error.h"

#include <string_view>

#include <pugixml.hpp>

#include <fmt/core.h>

namespace zraid {

namespace {

void collect_source(const pugi::xml_node& source, std::vector<DiskSource>& sources)
{
    for (const char* attribute : {"dev", "file"}) {
        if (const std::string path = source.attribute(attribute).as_string(); !path.empty())
            sources.push_back({path, "", ""});
    }
    if (const std::string pool = source.attribute("pool").as_string(); !pool.empty())
        sources.push_back({"", pool, source.attribute("volume").as_string()});
}

/// An image and those below it. No recursion: how deep a document goes is up to who wrote it.
void collect_chain(const pugi::xml_node& disk, std::vector<DiskSource>& sources)
{
    for (pugi::xml_node layer = disk; layer; layer = layer.child("backingStore")) {
        collect_source(layer.child("source"), sources);
        collect_source(layer.child("source").child("dataStore").child("source"), sources);
    }
}

} // namespace

DomainDisks parse_domain(const std::string& xml)
{
    if (xml.find_first_not_of(" \t\r\n") == std::string::npos)
        throw Error("the domain XML is empty");
    pugi::xml_document document;
    const auto result =
        document.load_buffer(xml.data(), xml.size(), pugi::parse_default | pugi::parse_doctype);
    if (!result)
        throw Error(fmt::format("the domain XML is broken at byte {}: {}", result.offset,
                                result.description()));
    for (const pugi::xml_node& node : document.children()) {
        if (node.type() == pugi::node_doctype)
            throw Error(
                "the domain XML has a document type declaration, which libvirt never writes");
    }
    const pugi::xml_node domain = document.child("domain");
    if (!domain)
        throw Error("the document is no domain XML: it has no <domain>");
    DomainDisks disks;
    disks.xen = domain.attribute("type").as_string() == std::string_view("xen");
    disks.name = domain.child("name").text().as_string();
    disks.uuid = in_context("the domain XML's <uuid>", [&] {
        try {
            return Uuid::parse(domain.child("uuid").text().as_string());
        } catch (const UsageError& e) { // of libvirt, not of whoever typed a command
            throw Error(e.what());
        }
    });
    for (const pugi::xml_node& disk : domain.child("devices").children("disk")) {
        collect_chain(disk, disks.sources);
        collect_chain(disk.child("mirror"), disks.sources); // target of a copy that is under way
    }
    return disks;
}

} // namespace zraid
