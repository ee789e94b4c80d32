#include "support/failure.h"
#include "util/busy.h"

#include <gtest/gtest.h>

namespace zraid {
namespace {

TEST(RetryWhileBusy, TriesAgainUntilItIsFree)
{
    int tried = 0;
    retry_while_busy(Milliseconds{600'000}, [&] {
        if (++tried < 3)
            throw SystemError(EBUSY, "remove 'zram0'");
    });
    EXPECT_EQ(tried, 3);
}

TEST(RetryWhileBusy, TellsWhatWasBusyToTheEnd)
{
    int tried = 0;
    const auto busy = [&] {
        ++tried;
        throw SystemError(EBUSY, "remove 'zram0'");
    };
    EXPECT_EQ(test::failure([&] { retry_while_busy(Milliseconds{20}, busy); }),
              "remove 'zram0': Device or resource busy");
    EXPECT_GE(tried, 2);
}

TEST(RetryWhileBusy, LetsOtherErrorsThrough)
{
    int tried = 0;
    const auto gone = [&] {
        ++tried;
        throw SystemError(ENODEV, "remove 'zram0'");
    };
    EXPECT_THROW(retry_while_busy(Milliseconds{600'000}, gone), SystemError);
    EXPECT_EQ(tried, 1);
}

} // namespace
} // namespace zraid
