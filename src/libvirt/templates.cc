#include "libvirt/templates.h"

#include "pools/store.h"
#include "util/error.h"
#include "util/files.h"

#include <sstream>

#include <pugixml.hpp>

#include <fmt/core.h>

namespace zraid {

namespace {

using Values = std::map<std::string, std::string>;

/// "…@KEY@…" with the keys' values. A lone @ stays as it is.
std::string replace_keys(const std::string& text, const Values& values)
{
    std::string result;
    std::size_t at = 0;
    for (;;) {
        const std::size_t begin = text.find('@', at);
        const std::size_t end = begin == std::string::npos ? begin : text.find('@', begin + 1);
        if (end == std::string::npos)
            return result + text.substr(at);
        const std::string key = text.substr(begin + 1, end - begin - 1);
        if (key.empty() ||
            key.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string::npos) {
            result += text.substr(at, end - at);
            at = end;
            continue;
        }
        const auto value = values.find(key);
        if (value == values.end())
            throw Error(fmt::format("unknown key @{}@", key));
        result += text.substr(at, begin - at) + value->second;
        at = end + 1;
    }
}

void fill(pugi::xml_node node, const Values& values)
{
    for (pugi::xml_attribute attribute : node.attributes())
        attribute.set_value(replace_keys(attribute.value(), values).c_str());
    for (pugi::xml_node child : node.children()) {
        if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata)
            child.set_value(replace_keys(child.value(), values).c_str());
        else
            fill(child, values);
    }
}

std::filesystem::path find_template(const Paths& paths, const std::string& name)
{
    const auto own = paths.etc / "xml-templates" / name;
    if (!std::filesystem::exists(own))
        return paths.share / name;
    refuse_world_writable(own.parent_path());
    refuse_world_writable(own);
    return own;
}

} // namespace

std::string fill_template(const Paths& paths, const std::string& name, const Values& values)
{
    const auto file = find_template(paths, name);
    return in_context(fmt::format("template '{}'", file.string()), [&] {
        pugi::xml_document document;
        const std::string text = read_file(file, 1U << 20U);
        if (const auto result = document.load_string(text.c_str()); !result)
            throw Error(fmt::format("broken at byte {}: {}", result.offset, result.description()));
        fill(document, values);
        std::ostringstream out;
        document.save(out, "  ", pugi::format_default | pugi::format_no_declaration);
        return out.str();
    });
}

} // namespace zraid
