#include "util/text.h"

#include <string>

#include <gtest/gtest.h>

namespace zraid {
namespace {

TEST(NumberAfter, TakesDigitsAlone)
{
    EXPECT_EQ(number_after("md100", "md"), 100);
    EXPECT_EQ(number_after("0", ""), 0);
    EXPECT_EQ(number_after("md2147483647", "md"), 2147483647);
    for (const char* text :
         {"", "md", "md-1", "md+1", "md 1", "md1p1", "sd1", "md2147483648", "md99999999999"})
        EXPECT_EQ(number_after(text, "md"), std::nullopt) << text;
}

TEST(FormatDuration, RoundsUpAsAPersonWould)
{
    using std::chrono::seconds;
    EXPECT_EQ(format_duration(seconds{0}), "0 s");
    EXPECT_EQ(format_duration(seconds{119}), "119 s");
    EXPECT_EQ(format_duration(seconds{120}), "2 min");
    EXPECT_EQ(format_duration(seconds{121}), "3 min");
    EXPECT_EQ(format_duration(seconds{7199}), "2 h 0 min");
    EXPECT_EQ(format_duration(seconds{7500}), "2 h 5 min");
}

} // namespace
} // namespace zraid
