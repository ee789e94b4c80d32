#include "support/failure.h"
#include "util/error.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::failure_code;
using ::testing::StrEq;

TEST(Explain, JoinsTheChainOutermostFirst)
{
    const std::string text = failure([] {
        in_context("pool 'vm'", [] {
            in_context("attach the image", [] { throw SystemError(ENOENT, "open '/x.img'"); });
        });
    });
    EXPECT_EQ(text, "pool 'vm': attach the image: open '/x.img': No such file or directory");
}

TEST(Explain, EndsWithTheInnermostAdvice)
{
    const auto nested = [](const std::string& outer, const std::string& inner) {
        return failure([&] {
            try {
                throw Error("inner", inner);
            } catch (const Error&) {
                std::throw_with_nested(Error("outer", outer));
            }
        });
    };
    EXPECT_EQ(nested("", ""), "outer: inner");
    EXPECT_EQ(nested("do this", ""), "outer: inner. Next: do this");
    EXPECT_EQ(nested("", "do that"), "outer: inner. Next: do that");
    EXPECT_EQ(nested("do this", "do that"), "outer: inner. Next: do that");
}

TEST(Explain, IsOneLine)
{
    EXPECT_EQ(explain(Error("first\nsecond\n", "third\nfourth")),
              "first second . Next: third fourth");
}

TEST(Explain, TakesErrorsOfOthers)
{
    EXPECT_EQ(failure([] { in_context("read it", [] { throw std::out_of_range("index 7"); }); }),
              "read it: index 7");
}

TEST(SystemErrorTest, SaysOperationObjectAndCause)
{
    const SystemError error(EACCES, "open '/etc/shadow'", "become root");
    EXPECT_THAT(error.what(), StrEq("open '/etc/shadow': Permission denied"));
    EXPECT_EQ(error.next(), "become root");
    EXPECT_EQ(error.code(), EACCES);
    EXPECT_EQ(errno_text(EFBIG), "File too large");
}

TEST(InContext, HandsOnWhatTheFunctionReturns)
{
    int value = 7;
    EXPECT_EQ(in_context("nothing fails", [] { return 5; }), 5);
    int& same = in_context("nothing fails", [&]() -> int& { return value; });
    EXPECT_EQ(&same, &value);
}

TEST(ExitCode, IsTwoForAUsageErrorAnywhereInTheChain)
{
    EXPECT_EQ(failure_code([] { throw Error("failed"); }), 1);
    EXPECT_EQ(failure_code([] { throw std::runtime_error("failed"); }), 1);
    EXPECT_EQ(failure_code([] { throw UsageError("bad option"); }), 2);
    EXPECT_EQ(failure_code([] {
                  in_context("outer",
                             [] { in_context("middle", [] { throw UsageError("bad option"); }); });
              }),
              2);
    EXPECT_EQ(failure_code([] { in_context("outer", [] { throw SystemError(EIO, "read"); }); }), 1);
}

} // namespace
} // namespace zraid
