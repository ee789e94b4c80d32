#include "util/xml_text.h"

#include <cstddef>
#include <cstdint>

namespace zraid {

namespace {

using Code = std::uint32_t;

/// The first byte of a character: how many follow it, what it says of the code, and the least code
/// that needs as many. Another spelling is read by some parsers and refused by others.
struct Lead
{
    std::size_t follow;
    Code bits;
    Code least;
};

Lead lead_of(unsigned char byte)
{
    if (byte < 0x80)
        return {0, byte, 0};
    if ((byte & 0xe0U) == 0xc0)
        return {1, byte & 0x1fU, 0x80};
    if ((byte & 0xf0U) == 0xe0)
        return {2, byte & 0x0fU, 0x800};
    return {3, byte & 0x07U, 0x10000};
}

/// https://www.w3.org/TR/xml/#charsets, without what a terminal acts on.
bool is_xml_character(Code code)
{
    if (code < ' ')
        return code == '\t' || code == '\n';
    return code != 0x7f && (code < 0xd800 || code > 0xdfff) && code != 0xfffe && code != 0xffff &&
           code <= 0x10ffff;
}

} // namespace

// Ours, since whoever links libxml2 for it loads its 30 MB of character tables at each start.
bool is_xml_text(std::string_view text)
{
    for (std::size_t at = 0; at < text.size();) {
        const auto first = static_cast<unsigned char>(text[at++]);
        if ((first >= 0x80 && first < 0xc0) || first >= 0xf8) // the rest of one, or none at all
            return false;
        const Lead lead = lead_of(first);
        if (lead.follow > text.size() - at)
            return false;
        Code code = lead.bits;
        for (const char c : text.substr(at, lead.follow)) {
            if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80)
                return false;
            code = code << 6U | (static_cast<unsigned char>(c) & 0x3fU);
        }
        at += lead.follow;
        if (code < lead.least || !is_xml_character(code))
            return false;
    }
    return true;
}

} // namespace zraid
