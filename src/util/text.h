#pragma once

#include <optional>
#include <string_view>

namespace zraid {

/// Can XML 1.0 hold this text and give it back as it is? Valid UTF-8 without control characters
/// other than tab and newline.
bool is_xml_text(std::string_view text);

/// The number that is all of the text behind `prefix`, such as 100 of "md100": digits alone.
/// @return nothing if the text is anything else
std::optional<int> number_after(std::string_view text, std::string_view prefix);

} // namespace zraid
