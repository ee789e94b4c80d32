#include "devices/qemu_img.h"
#include "support/failure.h"
#include "support/temporary_folder.h"
#include "util/files.h"
#include "util/size.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::TemporaryFolder;
using ::testing::HasSubstr;

TEST(QemuImg, TellsItsProgress)
{
    EXPECT_EQ(last_percent("    (0.00/100%)\r    (12.50/100%)\r"), 12.5);
    EXPECT_EQ(last_percent("    (0.00/100%)\r    (12.5"), 0.0) << "half a line";
    EXPECT_EQ(last_percent("    (100.00/100%)\r\n"), 100.0);
    for (const std::string text :
         {"", "    (", "(x/100%)", "(1.0x/100%)", "(101.0/100%)", "/100%)"})
        EXPECT_FALSE(last_percent(text)) << text;
}

class Copying : public ::testing::Test
{
protected:
    /// A file with data at its begin, in the middle and at its end.
    std::string make(const std::string& name, std::uint64_t size) const
    {
        std::string path = folder.put(name, std::string(5000, 'a'));
        std::filesystem::resize_file(path, 3 * MiB);
        std::ofstream(path, std::ios::app) << std::string(200'000, 'b');
        std::filesystem::resize_file(path, size - 3);
        std::ofstream(path, std::ios::app) << "end";
        return path;
    }

    TemporaryFolder folder;
    std::vector<double> shown;
    std::function<void(double)> show = [this](double percent) { shown.push_back(percent); };
};

TEST_F(Copying, TakesAFileOfAnyLength)
{
    constexpr std::uint64_t size = 8 * MiB + 12'345;
    const std::string source = make("a,b", size);
    const std::string target = folder.put("target", "");
    std::filesystem::resize_file(target, 10 * MiB);
    copy_image({source}, {target}, size, show, -1);
    EXPECT_EQ(read_file(target).substr(0, size), read_file(source));
    EXPECT_EQ(read_file(target).find_first_not_of('\0', size), std::string::npos);
    ASSERT_FALSE(shown.empty());
    EXPECT_EQ(shown.back(), 100);
}

TEST_F(Copying, TakesAPartOfAFile)
{
    const std::string source = make("a,b", 8 * MiB);
    const std::string target = folder.put("target", "");
    std::filesystem::resize_file(target, MiB);
    copy_image({source, "raw", 2 * MiB + 512 * KiB, MiB}, {target}, MiB, show, -1);
    EXPECT_EQ(read_file(target), read_file(source).substr(2 * MiB + 512 * KiB, MiB));
}

TEST_F(Copying, ToldBeforeWhatItTakes)
{
    const std::string source = make("source", GiB);
    const std::uint64_t bytes = bytes_to_copy({source});
    EXPECT_GT(bytes, 205'000U);
    EXPECT_LT(bytes, 2 * MiB);
    EXPECT_LT(bytes_to_copy({source, "raw", 4 * MiB, 8 * MiB}), bytes);
    EXPECT_THAT(failure([&] { bytes_to_copy({folder / "none"}); }), HasSubstr("none"));
}

TEST_F(Copying, FailsWhereTheTargetIsTooSmall)
{
    const std::string source = make("source", 8 * MiB);
    const std::string target = folder.put("target", "x");
    EXPECT_THAT(failure([&] { copy_image({source}, {target}, 8 * MiB, show, -1); }),
                HasSubstr("qemu-img convert"));
}

} // namespace
} // namespace zraid
