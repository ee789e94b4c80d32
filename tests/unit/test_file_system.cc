#include "devices/file_system.h"
#include "support/fake_system.h"

#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::FakeSystem;

TEST(FileSystemTest, IsRecognised)
{
    const FakeSystem system;
    const std::string zeros(std::size_t{64} * 1024, '\0');
    const auto read = [&](std::string content) {
        return read_file_system(system.put("device", content));
    };
    EXPECT_EQ(read(zeros), FileSystem::none);
    std::string xfs = zeros;
    xfs.replace(0, 4, "XFSB");
    EXPECT_EQ(read(xfs), FileSystem::xfs);
    xfs[126] = 1;
    EXPECT_EQ(read(xfs), FileSystem::unfinished);
    std::string other = zeros;
    other[1080] = 'x';
    EXPECT_EQ(read(other), FileSystem::other);
}

} // namespace
} // namespace zraid
