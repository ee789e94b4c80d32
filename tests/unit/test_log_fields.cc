#include "util/log_fields.h"

#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(LogFieldsTest, LastAsLongAsTheirObject)
{
    EXPECT_THAT(take_log_fields(), IsEmpty());
    {
        const LogField pool("POOL", "vm");
        {
            const LogField md("MD", "md100");
            const LogField again("POOL", "vm");
            EXPECT_THAT(take_log_fields(), ElementsAre(Pair("POOL", "vm"), Pair("MD", "md100")));
        }
        EXPECT_THAT(take_log_fields(), ElementsAre(Pair("POOL", "vm")));
    }
    EXPECT_THAT(take_log_fields(), IsEmpty());
}

void fail_in(const std::string& pool)
{
    try {
        const LogField field("POOL", pool);
        throw std::runtime_error(pool);
    } catch (const std::runtime_error&) {
        return;
    }
}

TEST(LogFieldsTest, OutliveAnExceptionForOneLine)
{
    fail_in("vm");
    fail_in("other");
    EXPECT_THAT(take_log_fields(), ElementsAre(Pair("POOL", "vm"), Pair("POOL", "other")));
    EXPECT_THAT(take_log_fields(), IsEmpty());
}

TEST(LogFieldsTest, AnErrorOfOnePoolIsNotInLinesOfAnother)
{
    fail_in("vm");
    {
        const LogField field("POOL", "other");
        EXPECT_THAT(take_log_fields(), ElementsAre(Pair("POOL", "other")));
    }
    const LogField domain("DOMAIN", "web");
    EXPECT_THAT(take_log_fields(), ElementsAre(Pair("DOMAIN", "web"), Pair("POOL", "vm")));
}

TEST(LogFieldsTest, BelongToTheirThread)
{
    const LogField field("POOL", "vm");
    LogFields others{{"", ""}};
    std::thread([&] { others = take_log_fields(); }).join();
    EXPECT_THAT(others, IsEmpty());
}

} // namespace
} // namespace zraid
