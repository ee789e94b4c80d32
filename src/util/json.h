#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace zraid {

/// A value of JSON, to be written or as it was read. The library behind it is compiled in json.cc
/// alone.
class Json
{
public:
    using Field = std::pair<std::string, Json>;
    using Fields = std::vector<Field>;
    using Elements = std::vector<Json>;

    /// What becomes of text that is no UTF-8, which JSON has to be.
    enum class BadText
    {
        refuse, ///< an exception
        replace ///< by U+FFFD
    };

    Json(std::nullptr_t = nullptr) {}
    Json(std::same_as<bool> auto flag) : value_(flag) {}
    Json(std::signed_integral auto number) : value_(std::int64_t{number}) {}
    Json(std::unsigned_integral auto number) requires(!std::same_as<decltype(number), bool>)
        : value_(std::uint64_t{number})
    {
    }
    Json(double number) : value_(number) {}
    Json(std::string text) : value_(std::move(text)) {}
    Json(const char* text) : value_(std::string(text)) {}
    /// An object; its fields are written in this order.
    Json(std::initializer_list<Field> fields) : value_(Fields(fields)) {}

    static Json array() { return Json(Value(Elements())); }

    /// @return the fields of objects in the order of their names; nothing: it is no JSON, or nested
    /// deeper than anything that zraid reads
    static std::optional<Json> parse(const std::string& text);

    /// @param visitor called with what it holds
    template <typename Visitor>
    auto visit(const Visitor& visitor) const
    {
        return std::visit(visitor, value_);
    }

    bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }

    /// A field of an object; nullptr: there is none, or this is no object.
    const Json* find(std::string_view name) const;

    // nullptr or nothing: it is of another kind.
    const Fields* fields() const { return std::get_if<Fields>(&value_); }
    const Elements* elements() const { return std::get_if<Elements>(&value_); }
    const std::string* text() const { return std::get_if<std::string>(&value_); }
    std::optional<bool> flag() const;
    std::optional<std::uint64_t> number() const; ///< also nothing for one below 0, or a fraction
    bool is_integer() const;

    /// To an array; it is one.
    void push_back(Json element) { std::get<Elements>(value_).push_back(std::move(element)); }
    /// To an object; it is one, and has no such field.
    void add(std::string name, Json value);
    /// Puts the fields into the order of their names.
    void sort();

    /// @param indent blanks for each level; -1: all in one line
    std::string dump(int indent = -1, BadText bad = BadText::refuse) const;

private:
    using Value = std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double,
                               std::string, Elements, Fields>;
    explicit Json(Value value) : value_(std::move(value)) {}

    Value value_ = nullptr;
};

/// null for an empty text.
Json text_or_null(const std::string& text);

} // namespace zraid
