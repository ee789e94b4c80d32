#include "devices/file_stamp.h"
#include "support/failure.h"
#include "support/temporary_folder.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace zraid {
namespace {

using test::failure;
using test::TemporaryFolder;
using ::testing::HasSubstr;

TEST(FileStamp, ChangesWithTheFile)
{
    const TemporaryFolder folder;
    const std::string file = folder.put("file", "abc");
    const std::string stamp = file_stamp(file);
    EXPECT_EQ(file_stamp(file), stamp);
    std::ifstream(file).get();
    EXPECT_EQ(file_stamp(file), stamp) << "reading does not count";
    folder.put("file", "abcd");
    EXPECT_NE(file_stamp(file), stamp);
    const std::string longer = file_stamp(file);
    const std::string other = folder.put("other", "abcd");
    std::filesystem::rename(other, file);
    EXPECT_NE(file_stamp(file), longer) << "another file";
    EXPECT_THAT(failure([&] { file_stamp(other); }), HasSubstr("No such file"));
}

TEST(FileStamp, OfTheContentOutlivesARename)
{
    const TemporaryFolder folder;
    const std::string file = folder.put("file", "abc");
    const std::string stamp = content_stamp(file);
    const std::string other = folder / "other";
    std::filesystem::rename(file, other);
    EXPECT_EQ(content_stamp(other), stamp);
    ASSERT_EQ(::chmod(other.c_str(), 0600), 0);
    EXPECT_EQ(content_stamp(other), stamp);
    folder.put("other", "abcd");
    EXPECT_NE(content_stamp(other), stamp);
    EXPECT_TRUE(same_file(stamp, content_stamp(other)));
    EXPECT_TRUE(same_file(stamp, file_stamp(other)));
    EXPECT_FALSE(same_file(stamp, content_stamp(folder.put("third", ""))));
    EXPECT_FALSE(same_file("", ""));
}

} // namespace
} // namespace zraid
