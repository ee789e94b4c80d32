#include "support/log_capture.h"
#include "util/rollback.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::LogCapture;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(RollbackTest, UndoesLastFirst)
{
    std::vector<int> undone;
    {
        Rollback rollback;
        for (const int i : {1, 2, 3})
            rollback.add("step", [&undone, i] { undone.push_back(i); });
        EXPECT_THAT(undone, IsEmpty());
    }
    EXPECT_THAT(undone, ElementsAre(3, 2, 1));
}

TEST(RollbackTest, UndoesNothingThatIsKept)
{
    std::vector<int> undone;
    {
        Rollback rollback;
        rollback.add("step", [&] { undone.push_back(1); });
        rollback.keep();
        rollback.add("later step", [&] { undone.push_back(2); });
    }
    EXPECT_THAT(undone, ElementsAre(2));
}

TEST(RollbackTest, GoesOnBehindAStepThatFails)
{
    const LogCapture log;
    std::vector<int> undone;
    {
        Rollback rollback;
        rollback.add("first", [&] { undone.push_back(1); });
        rollback.add("remove the image", [] { throw SystemError(EBUSY, "remove '/x.img'"); });
        rollback.add("stop the array",
                     [] { in_context("stop it", [] { throw Error("in use", "close it"); }); });
        rollback.add("last", [&] { undone.push_back(4); });
    }
    EXPECT_THAT(undone, ElementsAre(4, 1));
    EXPECT_THAT(
        log.lines(),
        ElementsAre("warning: undo: stop the array: stop it: in use. Next: close it",
                    "warning: undo: remove the image: remove '/x.img': Device or resource busy"));
}

TEST(RollbackTest, WorksWhileAnErrorIsOnItsWay)
{
    bool undone = false;
    EXPECT_THROW(
        {
            Rollback rollback;
            rollback.add("step", [&] {
                undone = true;
                throw Error("this one too");
            });
            throw UsageError("the first error");
        },
        UsageError);
    EXPECT_TRUE(undone);
}

} // namespace
} // namespace zraid
