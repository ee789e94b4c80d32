#include "progress.h"

#include <gtest/gtest.h>

namespace zraid::cli {
namespace {

using std::chrono::seconds;

class ProgressLinesTest : public testing::Test
{
protected:
    bool due(int second, double percent) { return lines.due(percent, begun + seconds(second)); }

    ProgressLines::Clock::time_point begun = ProgressLines::Clock::now();
    ProgressLines lines{begun};
};

TEST_F(ProgressLinesTest, SayNothingOfWorkThatIsSoonDone)
{
    EXPECT_FALSE(due(0, 10));
    EXPECT_FALSE(due(1, 99));
}

TEST_F(ProgressLinesTest, ComeForEachTenPercent)
{
    EXPECT_TRUE(due(5, 10));
    EXPECT_FALSE(due(10, 19.9));
    EXPECT_TRUE(due(15, 20));
    EXPECT_TRUE(due(20, 55)) << "some at once";
    EXPECT_FALSE(due(25, 59));
}

TEST_F(ProgressLinesTest, DoNotFollowOnEachOthersHeels)
{
    EXPECT_TRUE(due(2, 10));
    EXPECT_FALSE(due(3, 20));
    EXPECT_TRUE(due(4, 30));
}

TEST_F(ProgressLinesTest, ComeNowAndThenOfWorkThatHardlyMoves)
{
    EXPECT_FALSE(due(29, 0.1));
    EXPECT_TRUE(due(30, 0.1));
    EXPECT_FALSE(due(59, 0.2));
    EXPECT_TRUE(due(60, 0.2));
}

TEST_F(ProgressLinesTest, TellOfWorkThatBeganAnew)
{
    EXPECT_TRUE(due(10, 90));
    EXPECT_FALSE(due(15, 5));
    EXPECT_TRUE(due(40, 10)) << "a second pass";
    EXPECT_TRUE(due(45, 20));
}

} // namespace
} // namespace zraid::cli
