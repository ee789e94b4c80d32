#include "pools/definition.h"

#include "devices/md.h"
#include "pools/schema.h"
#include "util/error.h"
#include "util/size.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <sstream>
#include <vector>

#include <pugixml.hpp>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace zraid {

namespace {

/// A pool type, as definitions and people have it.
struct PoolTypeWord
{
    PoolType type;
    const char* word;
    const char* meaning;
    bool has_target;
};

constexpr std::array kPoolTypes{
    PoolTypeWord{PoolType::disk, "disk", "partitions", false},
    PoolTypeWord{PoolType::logical, "logical", "an LVM volume group", false},
    PoolTypeWord{PoolType::fs, "fs", "files", true},
    PoolTypeWord{PoolType::whole, "whole", "a domain has the array itself", false},
};

const PoolTypeWord& word_of(PoolType type)
{
    return *std::find_if(kPoolTypes.begin(), kPoolTypes.end(),
                         [&](const PoolTypeWord& known) { return known.type == type; });
}

constexpr std::uint64_t kMinChunk = 64 * KiB;
/// Bytes that mdadm keeps for the bitmap in front of the data of a leg of this size, whatever the
/// data offset allows (mdadm 4.2, super1.c, choose_bm_space). The bitmap's header of 256 bytes is
/// inside; a bit for each chunk follows.
std::uint64_t bitmap_space(std::uint64_t image_size)
{
    if (image_size >= 200 * GiB + 64 * KiB)
        return 128 * KiB;
    return image_size > 8 * GiB + 4 * KiB ? 64 * KiB : 4 * KiB;
}

constexpr std::size_t kArrayNameLength = 31; // 32 bytes with the final zero

bool bitmap_fits(std::uint64_t image_size, std::uint64_t chunk)
{
    return 256 + (image_size / chunk + 1 + 7) / 8 <= bitmap_space(image_size);
}

void add_text(pugi::xml_node parent, const char* name, const std::string& text)
{
    parent.append_child(name).text().set(text.c_str());
}

void add_bytes(pugi::xml_node parent, const char* name, std::uint64_t bytes)
{
    pugi::xml_node node = parent.append_child(name);
    node.append_attribute("unit").set_value("bytes");
    node.text().set(fmt::format("{}", bytes).c_str());
}

std::uint64_t bytes_of(const pugi::xml_node& node)
{
    const std::string unit = node.attribute("unit").as_string("bytes");
    std::string number = node.text().as_string();
    number.erase(0, number.find_first_not_of(" \t\r\n")); // the schema allows blanks around it
    number.erase(number.find_last_not_of(" \t\r\n") + 1);
    return parse_size(number + (unit == "bytes" ? "" : unit));
}

PoolSettings read_settings(const pugi::xml_node& root)
{
    const pugi::xml_node image = root.child("image");
    const pugi::xml_node ram = root.child("ramleg");
    const pugi::xml_node libvirt = root.child("libvirt");
    const std::string yes = "yes";
    PoolSettings settings;
    settings.description = root.child("description").text().as_string();
    settings.writes = parse_writes(image.attribute("writes").as_string("cached"));
    settings.attach = parse_attach_policy(ram.attribute("attach").as_string("on-demand"));
    settings.compressor = ram.attribute("compressor").as_string();
    settings.recompressor = ram.attribute("recompressor").as_string();
    settings.ram_required = ram.attribute("required").as_string("no") == yes;
    if (const pugi::xml_node limit = ram.child("limit"))
        settings.ram_limit = bytes_of(limit);
    settings.libvirt = libvirt.attribute("register").as_string("yes") == yes;
    settings.autostart = libvirt.attribute("autostart").as_string("yes") == yes;
    return settings;
}

/// A definition that the schema allows.
PoolDefinition read_pool(const pugi::xml_node& root)
{
    const pugi::xml_node md = root.child("md");
    PoolDefinition pool;
    pool.name = root.child("name").text().as_string();
    check_pool_name(pool.name);
    pool.uuid = Uuid::parse(root.child("uuid").text().as_string());
    pool.type = parse_pool_type(root.attribute("type").as_string());
    pool.image = root.child("image").attribute("path").as_string();
    if (root.child("image").attribute("type").as_string("file") == std::string("block"))
        pool.image_kind = ImageKind::block;
    pool.target = root.child("target").attribute("path").as_string();
    if (has_target(pool.type) == pool.target.empty())
        throw Error(fmt::format("a pool of type {} {}", to_string(pool.type),
                                pool.target.empty() ? "needs a <target>" : "has no <target>"));
    pool.size = bytes_of(root.child("size"));
    if (pool.size < kMinImageSize || pool.size > kMaxImageSize)
        throw Error(fmt::format("a size of {} bytes is not between 16 MiB and 16 TiB", pool.size));
    pool.md_number = md.attribute("number").as_int(-1);
    if (pool.md_number < 0 || pool.md_number > 511)
        throw Error(fmt::format("md number {} is not between 0 and 511", pool.md_number));
    pool.bitmap_chunk = bytes_of(md.child("bitmapchunk"));
    check_bitmap_chunk(pool.bitmap_chunk, pool.size);
    pool.settings = read_settings(root);
    return pool;
}

} // namespace

std::string PoolDefinition::md_kernel_name() const
{
    return zraid::md_kernel_name(md_number);
}

std::string PoolDefinition::array_name() const
{
    return ("zraid:" + name).substr(0, kArrayNameLength);
}

std::string default_target(const std::string& pool)
{
    // Where libvirt's AppArmor and SELinux rules expect images.
    return "/var/lib/libvirt/images/" + pool;
}

bool has_target(PoolType type)
{
    return word_of(type).has_target;
}

std::string to_string(PoolType type)
{
    return word_of(type).word;
}

PoolType parse_pool_type(const std::string& text)
{
    std::vector<std::string> choices;
    for (const PoolTypeWord& known : kPoolTypes) {
        if (text == known.word)
            return known.type;
        choices.push_back(fmt::format("{} ({})", known.word, known.meaning));
    }
    const std::string last = choices.back();
    choices.pop_back();
    throw UsageError(fmt::format("'{}' is no pool type", text),
                     fmt::format("choose {} or {}", fmt::join(choices, ", "), last));
}

void check_pool_name(const std::string& name)
{
    const auto alphanumeric = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0;
    };
    const auto allowed = [&](char c) {
        return alphanumeric(c) || c == '.' || c == '_' || c == '-';
    };
    if (name.empty() || name.size() > 64 || !alphanumeric(name.front()) ||
        !std::all_of(name.begin(), name.end(), allowed))
        throw UsageError(fmt::format("'{}' is no pool name", name),
                         "use up to 64 letters, digits, '.', '_' and '-', the first a letter or "
                         "digit");
}

std::uint64_t default_bitmap_chunk(std::uint64_t image_size)
{
    std::uint64_t chunk = 16 * MiB;
    while (!bitmap_fits(image_size, chunk))
        chunk *= 2;
    return chunk;
}

void check_bitmap_chunk(std::uint64_t chunk, std::uint64_t image_size)
{
    if (!std::has_single_bit(chunk) || chunk < kMinChunk || chunk > kMaxBitmapChunk)
        throw UsageError(fmt::format("a bitmap chunk of {} bytes is not possible", chunk),
                         "give a power of two from 64K to 1G");
    if (bitmap_fits(image_size, chunk))
        return;
    std::uint64_t least = chunk;
    while (!bitmap_fits(image_size, least))
        least *= 2;
    throw UsageError(fmt::format("a bitmap chunk of {} is too small for an image of {}: its bitmap "
                                 "would not fit in front of the data",
                                 format_size(chunk), format_size(image_size)),
                     fmt::format("give a larger one, such as {}", format_size(least)));
}

std::string to_xml(const PoolDefinition& pool)
{
    const PoolSettings& settings = pool.settings;
    pugi::xml_document document;
    pugi::xml_node root = document.append_child("zraidpool");
    root.append_attribute("type").set_value(to_string(pool.type).c_str());
    add_text(root, "name", pool.name);
    add_text(root, "uuid", pool.uuid.text());
    if (!settings.description.empty())
        add_text(root, "description", settings.description);
    if (!pool.target.empty())
        root.append_child("target").append_attribute("path").set_value(pool.target.c_str());
    pugi::xml_node image = root.append_child("image");
    if (pool.image_kind != ImageKind::file)
        image.append_attribute("type").set_value(to_string(pool.image_kind).c_str());
    image.append_attribute("path").set_value(pool.image.c_str());
    if (settings.writes != Writes::cached)
        image.append_attribute("writes").set_value(to_string(settings.writes).c_str());
    add_bytes(root, "size", pool.size);
    pugi::xml_node md = root.append_child("md");
    md.append_attribute("number").set_value(pool.md_number);
    add_bytes(md, "bitmapchunk", pool.bitmap_chunk);
    pugi::xml_node ram = root.append_child("ramleg");
    ram.append_attribute("attach").set_value(to_string(settings.attach).c_str());
    if (!settings.compressor.empty())
        ram.append_attribute("compressor").set_value(settings.compressor.c_str());
    if (!settings.recompressor.empty())
        ram.append_attribute("recompressor").set_value(settings.recompressor.c_str());
    if (settings.ram_required)
        ram.append_attribute("required").set_value("yes");
    if (settings.ram_limit)
        add_bytes(ram, "limit", *settings.ram_limit);
    pugi::xml_node libvirt = root.append_child("libvirt");
    libvirt.append_attribute("register").set_value(settings.libvirt ? "yes" : "no");
    libvirt.append_attribute("autostart").set_value(settings.autostart ? "yes" : "no");

    std::ostringstream text;
    document.save(text, "  ", pugi::format_default | pugi::format_no_declaration);
    return text.str();
}

PoolDefinition pool_from_xml(const Paths& paths, const std::string& xml, const std::string& source)
{
    check_pool_schema(paths, xml, source);
    pugi::xml_document document;
    if (const auto result =
            document.load_string(xml.c_str(), pugi::parse_default | pugi::parse_ws_pcdata_single);
        !result)
        throw Error(fmt::format("{}: {}", source, result.description()));
    try {
        return read_pool(document.child("zraidpool"));
    } catch (const Error& e) {
        // A UsageError too is of the file, not of whoever typed a command.
        throw Error(fmt::format("{}: {}", source, e.what()), e.next());
    }
}

} // namespace zraid
