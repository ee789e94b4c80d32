#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

namespace zraid {

/// One of our own small JSON files as it is read back. They are saved whole, so what is not as we
/// write it was edited by somebody: such a field, or file, is as good as none.
class JsonObject
{
public:
    explicit JsonObject(const std::string& text)
        : json_(nlohmann::json::parse(text, nullptr, false))
    {
    }

    std::string text(const char* name, const std::string& otherwise = {}) const
    {
        const auto* field = find(name);
        return field && field->is_string() ? field->get<std::string>() : otherwise;
    }

    std::uint64_t number(const char* name) const
    {
        const auto* field = find(name);
        return field && field->is_number_unsigned() ? field->get<std::uint64_t>() : 0;
    }

    /// false for what is none
    bool flag(const char* name) const
    {
        const auto* field = find(name);
        return field && field->is_boolean() && field->get<bool>();
    }

private:
    const nlohmann::json* find(const char* name) const
    {
        if (!json_.is_object())
            return nullptr;
        const auto field = json_.find(name);
        return field == json_.end() ? nullptr : &*field;
    }

    nlohmann::json json_;
};

} // namespace zraid
