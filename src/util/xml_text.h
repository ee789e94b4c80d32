#pragma once

#include <string_view>

namespace zraid {

/// Can XML 1.0 hold this text and give it back as it is? Valid UTF-8 without control characters
/// other than tab and newline.
bool is_xml_text(std::string_view text);

} // namespace zraid
