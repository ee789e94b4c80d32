#include "util/xml_text.h"

#include <string>

#include <gtest/gtest.h>

namespace zraid {
namespace {

TEST(IsXmlText, TakesWhatAPersonWrites)
{
    for (const char* text : {"", " ", "mail server", "tab\there", "two\nlines", "<b> & \"'",
                             "größe", "日本", "\xf0\x9f\x90\xa7", "\xef\xbf\xbd", "\u00a0"})
        EXPECT_TRUE(is_xml_text(text)) << text;
}

TEST(IsXmlText, RefusesControlCharacters)
{
    for (const char c : {'\0', '\x01', '\b', '\v', '\f', '\r', '\x1b', '\x1f', '\x7f'}) {
        EXPECT_FALSE(is_xml_text(std::string(1, c))) << static_cast<int>(c);
        EXPECT_FALSE(is_xml_text(std::string("ab") + c + "cd")) << static_cast<int>(c);
        EXPECT_FALSE(is_xml_text(std::string("ab") + c)) << static_cast<int>(c);
    }
}

TEST(IsXmlText, RefusesWhatIsNoUtf8)
{
    for (const char* text : {"\xff", "\xfe\xff",
                             "gr\xf6\xdf"
                             "e",
                             "\xc3", "a\xc3", "\xe2\x82", "\xf0\x9f\x90", "\xc3(", "\x80", "\xbf",
                             "\xf8\x88\x80\x80\x80"})
        EXPECT_FALSE(is_xml_text(text)) << ::testing::PrintToString(text);
}

TEST(IsXmlText, RefusesWhatXmlHasNoCharacterFor)
{
    for (const char* text :
         {"\xed\xa0\x80", "\xed\xbf\xbf", "\xef\xbf\xbe", "\xef\xbf\xbf", "\xf4\x90\x80\x80"})
        EXPECT_FALSE(is_xml_text(text)) << ::testing::PrintToString(text);
}

TEST(IsXmlText, RefusesOverlongForms)
{
    // Other ways to write '/', a zero byte and '<': parsers differ on them.
    for (const char* text : {"\xc0\xaf", "\xc0\x80", "\xe0\x80\xbc", "\xf0\x80\x80\xbc"})
        EXPECT_FALSE(is_xml_text(text)) << ::testing::PrintToString(text);
}

TEST(IsXmlText, LooksNoFurtherThanTheText)
{
    const std::string whole = "gr\xc3\xb6\xc3\x9f";
    EXPECT_TRUE(is_xml_text(std::string_view(whole).substr(0, 4)));
    EXPECT_FALSE(is_xml_text(std::string_view(whole).substr(0, 3)));
}

} // namespace
} // namespace zraid
