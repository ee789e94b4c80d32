#include "util/xml_text.h"

#include <array>
#include <string>

#include <libxml/chvalid.h>
#include <libxml/xmlstring.h>

namespace zraid {

bool is_xml_text(std::string_view text)
{
    // libxml2 decodes a string that ends with a zero byte, and text may hold one.
    const std::string copy(text);
    const auto* at = reinterpret_cast<const unsigned char*>(copy.c_str());
    for (std::size_t left = text.size(); left > 0;) {
        int length = static_cast<int>(left < 4 ? left : 4);
        const int code = xmlGetUTF8Char(at, &length);
        const bool control = (code < ' ' && code != '\t' && code != '\n') || code == 0x7f;
        // A character spelled in more bytes than it needs is read here, but not by the parser.
        constexpr std::array least{0, 0, 0x80, 0x800, 0x10000};
        if (code < 0 || control || !xmlIsCharQ(code) ||
            code < least.at(static_cast<std::size_t>(length)))
            return false;
        at += length; // NOLINT(*-pointer-arithmetic)
        left -= static_cast<std::size_t>(length);
    }
    return true;
}

} // namespace zraid
