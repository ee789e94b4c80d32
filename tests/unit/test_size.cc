#include "util/error.h"
#include "util/size.h"

#include <gtest/gtest.h>

namespace zraid {
namespace {

TEST(ParseSize, ReadsUnitsAsVirshDoes)
{
    EXPECT_EQ(parse_size("16777216"), 16 * MiB);
    EXPECT_EQ(parse_size("512b"), 512U);
    EXPECT_EQ(parse_size("10G"), 10 * GiB);
    EXPECT_EQ(parse_size("10g"), 10 * GiB);
    EXPECT_EQ(parse_size("10GiB"), 10 * GiB);
    EXPECT_EQ(parse_size("10 GiB"), 10 * GiB);
    EXPECT_EQ(parse_size("10GB"), 10'000'000'000U);
    EXPECT_EQ(parse_size("1T"), TiB);
    EXPECT_EQ(parse_size("15E"), 15 * 1024 * 1024 * TiB);
}

TEST(ParseSize, RefusesWhatIsNoSize)
{
    for (const char* text : {"", "G", "-1", "1.5G", "10X", "10Gi", "10GiBB", "0x10", "10 G G",
                             "18446744073709551616", "16E", "99999999999E"})
        EXPECT_THROW(parse_size(text), UsageError) << text;
}

TEST(FormatSize, IsShort)
{
    EXPECT_EQ(format_size(0), "0 B");
    EXPECT_EQ(format_size(1023), "1023 B");
    EXPECT_EQ(format_size(2 * GiB), "2 GiB");
    EXPECT_EQ(format_size(GiB + GiB / 2), "1.5 GiB");
}

} // namespace
} // namespace zraid
