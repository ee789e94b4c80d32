#include "util/json.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace zraid {

namespace {

using Library = nlohmann::ordered_json;

/// Nothing that zraid reads is nested half as deep; the way down takes room on the stack.
constexpr int kDeepest = 64;

class TooDeep
{
};

Json from_library(const nlohmann::json& value, int depth = 0)
{
    if (depth > kDeepest)
        throw TooDeep();
    switch (value.type()) {
    case nlohmann::json::value_t::boolean:
        return value.get<bool>();
    case nlohmann::json::value_t::number_integer:
        return value.get<std::int64_t>();
    case nlohmann::json::value_t::number_unsigned:
        return value.get<std::uint64_t>();
    case nlohmann::json::value_t::number_float:
        return value.get<double>();
    case nlohmann::json::value_t::string:
        return value.get_ref<const std::string&>();
    case nlohmann::json::value_t::array: {
        Json array = Json::array();
        for (const nlohmann::json& element : value)
            array.push_back(from_library(element, depth + 1));
        return array;
    }
    case nlohmann::json::value_t::object: {
        Json object(std::initializer_list<Json::Field>{});
        for (const auto& field : value.items())
            object.add(field.key(), from_library(field.value(), depth + 1));
        return object;
    }
    default:
        return nullptr;
    }
}

Library to_library(const Json& json);

struct Conversion
{
    Library operator()(const Json::Elements& elements) const
    {
        Library array = Library::array();
        for (const Json& element : elements)
            array.push_back(to_library(element));
        return array;
    }
    Library operator()(const Json::Fields& fields) const
    {
        Library object = Library::object();
        for (const auto& [name, value] : fields)
            object[name] = to_library(value);
        return object;
    }
    Library operator()(const auto& scalar) const { return scalar; }
};

Library to_library(const Json& json)
{
    return json.visit(Conversion());
}

} // namespace

std::optional<Json> Json::parse(const std::string& text)
{
    const auto value = nlohmann::json::parse(text, nullptr, false);
    if (value.is_discarded())
        return std::nullopt;
    try {
        return from_library(value);
    } catch (const TooDeep&) {
        return std::nullopt;
    }
}

const Json* Json::find(std::string_view name) const
{
    if (const Fields* all = fields()) {
        for (const Field& field : *all) {
            if (field.first == name)
                return &field.second;
        }
    }
    return nullptr;
}

std::optional<bool> Json::flag() const
{
    const bool* flag = std::get_if<bool>(&value_);
    return flag ? std::optional(*flag) : std::nullopt;
}

std::optional<std::uint64_t> Json::number() const
{
    const auto* number = std::get_if<std::uint64_t>(&value_);
    return number ? std::optional(*number) : std::nullopt;
}

bool Json::is_integer() const
{
    return std::holds_alternative<std::uint64_t>(value_) ||
           std::holds_alternative<std::int64_t>(value_);
}

void Json::add(std::string name, Json value)
{
    std::get<Fields>(value_).emplace_back(std::move(name), std::move(value));
}

void Json::sort()
{
    auto& all = std::get<Fields>(value_);
    std::sort(all.begin(), all.end(),
              [](const Field& a, const Field& b) { return a.first < b.first; });
}

std::string Json::dump(int indent, BadText bad) const
{
    return to_library(*this).dump(indent, ' ', false,
                                  bad == BadText::replace ? Library::error_handler_t::replace
                                                          : Library::error_handler_t::strict);
}

Json text_or_null(const std::string& text)
{
    return text.empty() ? Json(nullptr) : Json(text);
}

} // namespace zraid
