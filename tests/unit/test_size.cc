#include "support/failure.h"
#include "util/error.h"
#include "util/size.h"

#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;

TEST(ParseSize, ReadsUnitsAsVirshDoes)
{
    EXPECT_EQ(parse_size("0"), 0U);
    EXPECT_EQ(parse_size("16777216"), 16 * MiB);
    EXPECT_EQ(parse_size("512b"), 512U);
    EXPECT_EQ(parse_size("512 bytes"), 512U);
    EXPECT_EQ(parse_size("10G"), 10 * GiB);
    EXPECT_EQ(parse_size("10g"), 10 * GiB);
    EXPECT_EQ(parse_size("10GiB"), 10 * GiB);
    EXPECT_EQ(parse_size("10 GiB"), 10 * GiB);
    EXPECT_EQ(parse_size("10GB"), 10'000'000'000U);
    EXPECT_EQ(parse_size("64k"), 64 * KiB);
    EXPECT_EQ(parse_size("64KB"), 64'000U);
    EXPECT_EQ(parse_size("1T"), TiB);
    EXPECT_EQ(parse_size("2P"), 2048 * TiB);
    EXPECT_EQ(parse_size("15E"), 15 * 1024 * 1024 * TiB);
    EXPECT_EQ(parse_size("18446744073709551615"), UINT64_MAX);
}

TEST(ParseSize, RefusesWhatIsNoSize)
{
    for (const char* text :
         {"", "G", "-1", "+1", " 1", "1.5G", "10X", "10Gi", "10GiBB", "0x10", "10 G G", "10G ",
          "10\n", "18446744073709551616", "16E", "99999999999E"})
        EXPECT_THROW(parse_size(text), UsageError) << text;
}

TEST(ParseSize, SaysWhatIsWrong)
{
    const std::string next = ". Next: give a whole number and a unit, such as 512M, 10G or 1T";
    EXPECT_EQ(failure([] { parse_size("big"); }),
              "'big' is no size: it does not begin with a number" + next);
    EXPECT_EQ(failure([] { parse_size("10Q"); }), "'10Q' is no size: unknown unit 'Q'" + next);
    EXPECT_EQ(failure([] { parse_size("16E"); }),
              "'16E' is no size: it is larger than 64 bits can hold" + next);
    EXPECT_EQ(failure([] { parse_size("18446744073709551616"); }),
              "'18446744073709551616' is no size: the number is too large" + next);
}

TEST(FormatSize, IsShort)
{
    EXPECT_EQ(format_size(0), "0 B");
    EXPECT_EQ(format_size(1023), "1023 B");
    EXPECT_EQ(format_size(2 * GiB), "2 GiB");
    EXPECT_EQ(format_size(GiB + GiB / 2), "1.5 GiB");
    EXPECT_EQ(format_size(16 * TiB), "16 TiB");
    EXPECT_EQ(format_size(UINT64_MAX), "16 EiB");
}

TEST(FormatSize, RoundsIntoTheNextUnit)
{
    EXPECT_EQ(format_size(MiB - 1), "1 MiB");
    EXPECT_EQ(format_size(GiB - 1), "1 GiB");
}

TEST(RoundUp, GivesTheNextMultiple)
{
    EXPECT_EQ(round_up(0, 4096), 0U);
    EXPECT_EQ(round_up(1, 4096), 4096U);
    EXPECT_EQ(round_up(4096, 4096), 4096U);
    EXPECT_EQ(round_up(16 * TiB - 1, 512), 16 * TiB);
}

} // namespace
} // namespace zraid
