#include "domains/domain_xml.h"

#include "util/error.h"

#include <string_view>

#include <pugixml.hpp>

#include <fmt/core.h>

namespace zraid {

namespace {

/// @param format of the image, if nobody has looked what it stands on
void collect_source(const pugi::xml_node& source, std::vector<DiskSource>& sources,
                    const std::string& format = {})
{
    for (const char* attribute : {"dev", "file", "dir"}) {
        if (const std::string path = source.attribute(attribute).as_string(); !path.empty())
            sources.push_back({path, "", "", format});
    }
    if (const std::string pool = source.attribute("pool").as_string(); !pool.empty())
        sources.push_back({"", pool, source.attribute("volume").as_string(), format});
}

/// What is the text of an element, or, since libvirt 8.5, a source in it.
void collect_path(const pugi::xml_node& node, std::vector<DiskSource>& sources)
{
    if (const std::string path = node.text().as_string(); path.starts_with('/'))
        sources.push_back({path, "", ""});
    collect_source(node.child("source"), sources);
}

/// The format of a layer; empty for raw, which stands on nothing. libvirt takes one that is not
/// said for raw.
std::string format_of(const pugi::xml_node& layer)
{
    std::string format = layer.child("format").attribute("type").as_string();
    if (format.empty())
        format = layer.child("driver").attribute("type").as_string();
    return format == "raw" ? "" : format;
}

/// An image and those below it. No recursion: how deep a document goes is up to who wrote it.
void collect_chain(const pugi::xml_node& disk, std::vector<DiskSource>& sources)
{
    for (pugi::xml_node layer = disk; layer; layer = layer.child("backingStore")) {
        // An empty one says that there is nothing below.
        const bool is_last = !layer.child("backingStore");
        collect_source(layer.child("source"), sources, is_last ? format_of(layer) : "");
        collect_source(layer.child("source").child("dataStore").child("source"), sources);
    }
}

/// A copy that is under way, as libvirt up to 1.2 wrote it as well.
void collect_mirror(const pugi::xml_node& mirror, std::vector<DiskSource>& sources)
{
    collect_chain(mirror, sources);
    if (!mirror.child("source"))
        collect_source(mirror, sources);
}

/// Files that the domain opens before its guest does anything.
void collect_boot(const pugi::xml_node& os, std::vector<DiskSource>& sources)
{
    for (const char* name : {"loader", "nvram", "kernel", "initrd", "dtb"}) {
        for (const pugi::xml_node& node : os.children(name))
            collect_path(node, sources);
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
        collect_mirror(disk.child("mirror"), disks.sources);
    }
    for (const pugi::xml_node& folder : domain.child("devices").children("filesystem"))
        collect_source(folder.child("source"), disks.sources);
    for (const pugi::xml_node& memory : domain.child("devices").children("memory"))
        collect_path(memory.child("source").child("path"), disks.sources);
    collect_boot(domain.child("os"), disks.sources);
    return disks;
}

} // namespace zraid
