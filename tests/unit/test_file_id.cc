#include "devices/file_id.h"
#include "support/failure.h"
#include "support/temporary_folder.h"

#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::TemporaryFolder;

TEST(FileIdTest, IsTheSameByAnyPath)
{
    const TemporaryFolder folder;
    const std::string file = folder.put("image", "");
    const std::string link = folder.link("link", "image");
    std::filesystem::create_hard_link(file, folder / "hard");
    ASSERT_TRUE(file_id(file));
    EXPECT_EQ(file_id(file), file_id(link));
    EXPECT_EQ(file_id(file), file_id(folder / "hard"));
    EXPECT_EQ(file_id(file), file_id(folder / "./image"));
    EXPECT_NE(file_id(file), file_id(folder.put("other", "")));
}

TEST(FileIdTest, IsNothingWithoutAFile)
{
    const TemporaryFolder folder;
    const std::string file = folder.put("file", "");
    EXPECT_EQ(file_id(folder / "missing"), std::nullopt);
    EXPECT_EQ(file_id(file + "/below"), std::nullopt);
    EXPECT_EQ(file_id(folder.link("dangling", "missing")), std::nullopt);
}

TEST(FileIdTest, FailsWhereItCannotBeKnown)
{
    const TemporaryFolder folder;
    const std::string loop = folder.link("loop", "loop");
    EXPECT_EQ(failure([&] { file_id(loop); }),
              "stat '" + loop + "': Too many levels of symbolic links");
}

} // namespace
} // namespace zraid
