#include "util/text.h"

#include <charconv>
#include <limits>
#include <string>

#include <fmt/core.h>

namespace zraid {

std::optional<int> number_after(std::string_view text, std::string_view prefix)
{
    if (!text.starts_with(prefix))
        return std::nullopt;
    unsigned number = 0; // unsigned: a sign is no digit
    const char* end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data() + prefix.size(), end, number);
    if (code != std::errc() || stop != end || number > std::numeric_limits<int>::max())
        return std::nullopt;
    return static_cast<int>(number);
}

std::string format_duration(std::chrono::seconds time)
{
    using std::chrono::minutes;
    if (time < minutes{2})
        return fmt::format("{} s", time.count());
    const auto rounded = std::chrono::ceil<minutes>(time).count();
    if (rounded < 120)
        return fmt::format("{} min", rounded);
    return fmt::format("{} h {} min", rounded / 60, rounded % 60);
}

} // namespace zraid
