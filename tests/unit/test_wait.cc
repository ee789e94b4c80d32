#include "util/wait.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace zraid {
namespace {

using Clock = std::chrono::steady_clock;

TEST(WaitUntil, AsksOnceWithoutTime)
{
    int asked = 0;
    EXPECT_TRUE(wait_until(Milliseconds{0}, [&] { return ++asked == 1; }));
    EXPECT_EQ(asked, 1);
    EXPECT_FALSE(wait_until(Milliseconds{0}, [&] { return ++asked == 1; }));
    EXPECT_EQ(asked, 2);
}

TEST(WaitUntil, DoesNotSleepWhenItHolds)
{
    const auto begin = Clock::now();
    EXPECT_TRUE(wait_until(Milliseconds{600'000}, [] { return true; }));
    EXPECT_LT(Clock::now() - begin, Milliseconds{10'000});
}

TEST(WaitUntil, AsksAgainUntilItHolds)
{
    int asked = 0;
    EXPECT_TRUE(wait_until(Milliseconds{600'000}, [&] { return ++asked == 5; }));
    EXPECT_EQ(asked, 5);
}

TEST(WaitUntil, GivesUpWhenTheTimeIsUp)
{
    int asked = 0;
    const auto begin = Clock::now();
    EXPECT_FALSE(wait_until(Milliseconds{500}, [&] { return ++asked < 0; }));
    EXPECT_GE(Clock::now() - begin, Milliseconds{500});
    EXPECT_GE(asked, 2);
    EXPECT_LE(asked, 50) << "steps grow";
}

TEST(WaitUntil, LetsErrorsThrough)
{
    EXPECT_THROW(
        wait_until(Milliseconds{600'000}, []() -> bool { throw std::runtime_error("gone"); }),
        std::runtime_error);
}

} // namespace
} // namespace zraid
