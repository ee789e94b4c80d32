#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace zraid {

/// The number that is all of the text behind `prefix`, such as 100 of "md100": digits alone.
/// @return nothing if the text is anything else
std::optional<int> number_after(std::string_view text, std::string_view prefix);

/// A time for people: "8 s", "3 min", "2 h 5 min".
std::string format_duration(std::chrono::seconds time);

} // namespace zraid
