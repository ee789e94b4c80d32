#include "consent.h"
#include "util/error.h"

#include <cstdio>
#include <vector>

#include <gtest/gtest.h>

namespace zraid::cli {
namespace {

TEST(ConsentTest, OnlyAYesIsOne)
{
    for (const char* answer : {"y", "Y", "yes", "YES", " yes \r"})
        EXPECT_TRUE(is_yes(answer)) << answer;
    for (const char* answer : {"", "n", "no", "yess", "ja", "y n", "1"})
        EXPECT_FALSE(is_yes(answer)) << answer;
}

/// A command with --yes, and what it says of a deed.
std::string need(std::vector<const char*> arguments)
{
    CommandLine program("", "");
    Consent consent;
    consent.add(program);
    arguments.insert(arguments.begin(), "program");
    program.parse(static_cast<int>(arguments.size()), arguments.data());
    consent.need([]() -> std::string { throw Error("asked"); });
    return "done";
}

TEST(ConsentTest, YesAsksNothing)
{
    EXPECT_EQ(need({"--yes"}), "done");
}

TEST(ConsentTest, WithoutATerminalIsAUsageError)
{
    // Somebody may run this by hand, on a terminal.
    ASSERT_NE(::freopen("/dev/null", "r", stdin), nullptr);
    try {
        need({});
        FAIL();
    } catch (const UsageError& e) {
        EXPECT_EQ(exit_code(e), 2);
        EXPECT_NE(explain(e).find("Next: add --yes"), std::string::npos) << explain(e);
    }
}

} // namespace
} // namespace zraid::cli
