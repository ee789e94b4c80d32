#include "devices/file_like.h"
#include "support/failure.h"
#include "support/temporary_folder.h"
#include "util/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>

namespace zraid {
namespace {

using test::failure;
using test::TemporaryFolder;
using ::testing::HasSubstr;

TEST(FileLike, HasModeAndAttributesOfTheOther)
{
    const TemporaryFolder folder;
    const std::string other = folder.put("other", "content");
    const std::string file = folder / "file";
    ASSERT_EQ(::chmod(other.c_str(), 0640), 0);
    const bool has_attributes = ::setxattr(other.c_str(), "user.note", "text", 4, 0) == 0;
    make_file_like(file, other);
    struct stat info = {};
    ASSERT_EQ(::stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0640U);
    EXPECT_EQ(info.st_size, 0);
    std::string value(4, ' ');
    if (has_attributes) {
        EXPECT_EQ(::getxattr(file.c_str(), "user.note", value.data(), value.size()), 4);
        EXPECT_EQ(value, "text");
    }
    EXPECT_THAT(failure([&] { make_file_like(file, other); }), HasSubstr("File exists"));
    EXPECT_THAT(failure([&] { make_file_like(folder / "x", folder / "none"); }),
                HasSubstr("No such file"));
}

} // namespace
} // namespace zraid
