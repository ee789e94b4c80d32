#include "util/size.h"

#include "util/error.h"

#include <array>
#include <cctype>
#include <charconv>

#include <fmt/core.h>

namespace zraid {

namespace {

[[noreturn]] void refuse(std::string_view text, std::string_view why)
{
    throw UsageError(fmt::format("'{}' is no size: {}", text, why),
                     "give a whole number and a unit, such as 512M, 10G or 1T");
}

/// Factor of a unit; 0 if there is no such unit.
std::uint64_t factor_of(std::string_view unit)
{
    if (unit.empty() || unit == "b" || unit == "B" || unit == "byte" || unit == "bytes")
        return 1;
    constexpr std::string_view letters = "kmgtpe";
    const auto letter = static_cast<char>(std::tolower(static_cast<unsigned char>(unit[0])));
    const std::size_t power = letters.find(letter);
    const std::string_view rest = unit.substr(1);
    if (power == std::string_view::npos || !(rest.empty() || rest == "iB" || rest == "B"))
        return 0;
    std::uint64_t factor = 1;
    for (std::size_t i = 0; i <= power; ++i)
        factor *= rest == "B" ? 1000U : 1024U;
    return factor;
}

} // namespace

std::uint64_t parse_size(std::string_view text)
{
    std::uint64_t number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code == std::errc::result_out_of_range)
        refuse(text, "the number is too large");
    if (code != std::errc())
        refuse(text, "it does not begin with a number");
    std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
    while (unit.starts_with(' '))
        unit.remove_prefix(1);
    const std::uint64_t factor = factor_of(unit);
    if (factor == 0)
        refuse(text, fmt::format("unknown unit '{}'", unit));
    std::uint64_t bytes = 0;
    if (__builtin_mul_overflow(number, factor, &bytes))
        refuse(text, "it is larger than 64 bits can hold");
    return bytes;
}

std::string format_size(std::uint64_t bytes)
{
    constexpr std::array<const char*, 7> units{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    // What would be rounded to 1024.0 is told in the next unit.
    while (value >= (unit == 0 ? 1024 : 1023.95) && unit + 1 < units.size()) {
        value /= 1024;
        ++unit;
    }
    if (unit == 0)
        return fmt::format("{} B", bytes);
    // Round figures as people wrote them: "2 GiB", not "2.0 GiB".
    const std::string digits = fmt::format("{:.1f}", value);
    return fmt::format("{} {}",
                       digits.ends_with(".0") ? digits.substr(0, digits.size() - 2) : digits,
                       units.at(unit));
}

} // namespace zraid
