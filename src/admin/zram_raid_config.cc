#include "admin/zram_raid_config.h"

#include "pools/store.h"
#include "util/error.h"
#include "util/files.h"
#include "util/json.h"
#include "util/text.h"
#include "util/xml_text.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace zraid {

namespace {

/// Text, or a number as text; nothing for anything else.
std::optional<std::string> word(const Json& object, const char* name)
{
    const Json* field = object.find(name);
    if (!field)
        return std::nullopt;
    if (const std::string* text = field->text())
        return *text;
    if (field->is_integer())
        return field->dump();
    return std::nullopt;
}

void warn_of_unknown(const Json::Fields& fields, const std::string& where,
                     const std::vector<std::string_view>& known, ZramRaidConfig& config)
{
    for (const auto& [name, value] : fields) {
        if (std::find(known.begin(), known.end(), name) == known.end())
            config.warnings.push_back(
                fmt::format("{}'{}' is not known and not taken over", where, name));
    }
}

/// @return as zraid.conf has it; nothing if it is none
std::optional<std::string> limit_of(const std::string& number, const std::string& unit)
{
    const auto value = number_after(number, "");
    if (!value)
        return std::nullopt;
    if (unit == "%" && *value <= 100)
        return fmt::format("{}%", *value);
    if (unit == "Kb" && *value > 0)
        return fmt::format("{}KiB", *value);
    return std::nullopt;
}

void read_limit(const Json& limit, ZramRaidConfig& config)
{
    std::optional<std::string> found;
    if (const Json::Fields* fields = limit.fields()) {
        warn_of_unknown(*fields, "limit_free_mem: ", {"info", "size", "value_size"}, config);
        found = limit_of(word(limit, "size").value_or(""), word(limit, "value_size").value_or(""));
    } else if (const std::string* text = limit.text()) {
        const std::size_t digits = std::min(text->find_first_not_of("0123456789"), text->size());
        found = limit_of(text->substr(0, digits), text->substr(digits));
    }
    if (found)
        config.memory_limit = *found;
    else
        config.warnings.push_back(fmt::format("limit_free_mem is neither a share in % nor a size "
                                              "in Kb: {}",
                                              limit.dump()));
}

/// Its own tool writes 'in quotes' what people typed.
std::string description(std::string info, const std::string& where, ZramRaidConfig& config)
{
    if (info.size() >= 2 && info.front() == '\'' && info.back() == '\'')
        info = info.substr(1, info.size() - 2);
    if (is_xml_text(info))
        return info;
    config.warnings.push_back(where + "its info has control characters and is not taken over");
    return "";
}

void read_array(const Json& entry, std::size_t number, ZramRaidConfig& config)
{
    const std::string where = fmt::format("md[{}]: ", number);
    const Json::Fields* fields = entry.fields();
    if (!fields) {
        config.arrays.push_back({-1, "", "", where + "it is no object"});
        return;
    }
    warn_of_unknown(*fields, where, {"id", "image", "info"}, config);
    ZramRaidConfig::Array array;
    const std::string id = word(entry, "id").value_or("");
    const auto md = number_after(id, id.starts_with("md") ? "md" : "");
    array.image = word(entry, "image").value_or("");
    array.info = description(word(entry, "info").value_or(""), where, config);
    if (!md)
        array.problem = fmt::format("{}'{}' is no id of an array", where, id);
    else if (array.image.empty())
        array.problem = where + "it has no image";
    else
        array.md_number = *md;
    config.arrays.push_back(std::move(array));
}

} // namespace

ZramRaidConfig parse_zram_raid_config(const std::string& text, const std::string& source)
{
    const auto json = Json::parse(text);
    const Json* arrays = json ? json->find("md") : nullptr;
    if (!arrays || !arrays->elements())
        throw Error(
            fmt::format("'{}' is no configuration of ZRAM-RAID: JSON with a list 'md'", source),
            "give its /etc/zramraid/zramraid.conf, or /etc/zraid/zraid.conf of its older "
            "versions");
    ZramRaidConfig config;
    warn_of_unknown(*json->fields(), "", {"info", "log", "limit_free_mem", "md"}, config);
    if (const Json* limit = json->find("limit_free_mem"))
        read_limit(*limit, config);
    std::size_t number = 0;
    for (const Json& entry : *arrays->elements())
        read_array(entry, number++, config);
    return config;
}

ZramRaidConfig load_zram_raid_config(const std::filesystem::path& file)
{
    const std::string text = read_file(file);
    refuse_world_writable(file);
    return parse_zram_raid_config(text, file.string());
}

} // namespace zraid
