#include "devices/write_errors.h"
#include "support/fake_system.h"

#include <gtest/gtest.h>

namespace zraid {
namespace {

// An error takes a device that refuses to write: tests/lab.

TEST(WriteErrorsTest, AreNoneOfAGoodFile)
{
    const test::FakeSystem system;
    const auto file = system.put("image", "content");
    const WriteErrors errors(file);
    EXPECT_FALSE(errors.happened());
    EXPECT_EQ(errors.file(), file_id(file));
}

TEST(WriteErrorsTest, AreNoneOfAFileThatIsNotThere)
{
    const test::FakeSystem system;
    const WriteErrors errors(system.path() / "gone");
    EXPECT_FALSE(errors.happened());
    EXPECT_EQ(errors.file(), std::nullopt);
}

} // namespace
} // namespace zraid
