#include "devices/image.h"
#include "support/failure.h"
#include "support/recorded_leg.h"
#include "support/resource_limit.h"
#include "support/temporary_folder.h"
#include "util/files.h"
#include "util/size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zraid {
namespace {

using test::failure;
using test::FileSizeLimit;
using test::recorded_leg;
using test::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct stat stat_of(const std::string& path)
{
    struct stat info = {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info;
}

/// A file whose bytes are all holes, but for some at the end.
std::string put_sparse(const TemporaryFolder& folder, std::uint64_t size, std::string_view end = "")
{
    std::string path = folder.put("image", "");
    EXPECT_EQ(::truncate(path.c_str(), static_cast<off_t>(size - end.size())), 0);
    std::ofstream(path, std::ios::app | std::ios::binary) << end;
    return path;
}

TEST(InspectImage, TellsWhatAFileHolds)
{
    struct Case
    {
        const char* name;
        std::string content;
        ImageContent expected;
    };
    std::string leg = recorded_leg();
    const std::vector<Case> cases{
        {"no byte", "", ImageContent::empty},
        {"written zeros", std::string(3 * MiB, '\0'), ImageContent::empty},
        {"a byte at the end", std::string(3 * MiB - 1, '\0') + "x", ImageContent::other},
        {"a byte at the start", "x" + std::string(MiB, '\0'), ImageContent::other},
        {"text", "some text", ImageContent::other},
        {"a disk leg", leg, ImageContent::array},
        {"a disk leg cut off", leg.substr(0, 4200), ImageContent::other}};
    for (const Case& c : cases) {
        const TemporaryFolder folder;
        const ImageInfo image = inspect_image(folder.put("image", c.content));
        EXPECT_EQ(image.content, c.expected) << c.name;
        EXPECT_EQ(image.size, c.content.size()) << c.name;
    }
}

TEST(InspectImage, TellsAMissingFile)
{
    const TemporaryFolder folder;
    EXPECT_EQ(inspect_image(folder / "missing").content, ImageContent::missing);
    EXPECT_EQ(inspect_image(folder / "missing/image").content, ImageContent::missing);
}

TEST(InspectImage, SkipsHoles)
{
    const TemporaryFolder folder;
    const ImageInfo blank = inspect_image(put_sparse(folder, TiB));
    EXPECT_EQ(blank.content, ImageContent::empty);
    EXPECT_EQ(blank.size, TiB);
    EXPECT_EQ(inspect_image(put_sparse(folder, TiB, "x")).content, ImageContent::other);
}

TEST(InspectImage, FollowsLinks)
{
    const TemporaryFolder folder;
    folder.put("image", recorded_leg());
    EXPECT_EQ(inspect_image(folder.link("link", "image")).content, ImageContent::array);
}

TEST(InspectImage, RefusesWhatIsNoFile)
{
    const TemporaryFolder folder;
    const std::string next = ". Next: give the path of an image file, of one that is to be made, "
                             "or of a block device";
    EXPECT_EQ(failure([&] { inspect_image(folder.path()); }),
              "image '" + folder.path().string() + "' is a directory, not a regular file" + next);
    EXPECT_EQ(failure([] { inspect_image("/dev/null"); }),
              "image '/dev/null' is something else, not a regular file" + next);
    const std::string fifo = folder / "fifo";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    EXPECT_EQ(failure([&] { inspect_image(fifo); }),
              "image '" + fifo + "' is something else, not a regular file" + next)
        << "and never waits for a writer";
}

TEST(InspectImage, SaysWhyAPathLeadsNowhere)
{
    const TemporaryFolder folder;
    const std::string file = folder.put("file", "");
    EXPECT_EQ(failure([&] { inspect_image(file + "/image"); }),
              "stat '" + file + "/image': Not a directory");
}

TEST(CreateImage, MakesASparseFileForRootAlone)
{
    const TemporaryFolder folder;
    const std::string path = folder / "image";
    create_image(path, 64 * MiB, false);
    const struct stat info = stat_of(path);
    EXPECT_EQ(static_cast<std::uint64_t>(info.st_size), 64 * MiB);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    EXPECT_LT(info.st_blocks * 512, static_cast<off_t>(MiB));
    EXPECT_EQ(inspect_image(path).content, ImageContent::empty);
}

TEST(CreateImage, AllocatesIfAskedTo)
{
    const TemporaryFolder folder;
    const std::string path = folder / "image";
    create_image(path, 4 * MiB, true);
    EXPECT_GE(stat_of(path).st_blocks * 512, static_cast<off_t>(4 * MiB));
    EXPECT_EQ(inspect_image(path).content, ImageContent::empty);
}

TEST(CreateImage, LeavesWhatIsThere)
{
    const TemporaryFolder folder;
    const std::string path = folder.put("image", "precious");
    EXPECT_EQ(failure([&] { create_image(path, MiB, false); }), "open '" + path + "': File exists");
    EXPECT_EQ(read_file(path), "precious");
    const std::string dangling = folder.link("dangling", "elsewhere");
    EXPECT_EQ(failure([&] { create_image(dangling, MiB, false); }),
              "open '" + dangling + "': File exists");
    EXPECT_THAT(entries_of(folder.path()), ElementsAre("dangling", "image"));
}

TEST(CreateImage, LeavesNothingOfATooLargeOne)
{
    const TemporaryFolder folder;
    const std::string path = folder / "image";
    for (const bool preallocate : {false, true}) {
        const FileSizeLimit limit(MiB);
        EXPECT_EQ(failure([&] { create_image(path, 16 * TiB, preallocate); }),
                  "make an image of 16 TiB at '" + path +
                      "': File too large. Next: its file system cannot hold so large a file");
        EXPECT_THAT(entries_of(folder.path()), IsEmpty());
    }
}

TEST(CreateImage, NamesAMissingFolder)
{
    const TemporaryFolder folder;
    const std::string path = folder / "missing/image";
    EXPECT_EQ(failure([&] { create_image(path, MiB, false); }),
              "open '" + path + "': No such file or directory");
}

TEST(CompleteImage, GivesAShortOneItsSizeAndBlocks)
{
    const TemporaryFolder folder;
    const std::string path = folder.put("image", "");
    complete_image(path, 4 * MiB, false);
    EXPECT_TRUE(read_file(path) == std::string(4 * MiB, '\0'));
    EXPECT_LT(stat_of(path).st_blocks * 512, static_cast<off_t>(MiB));
    complete_image(path, 4 * MiB, true);
    EXPECT_GE(stat_of(path).st_blocks * 512, static_cast<off_t>(4 * MiB));
}

TEST(CompleteImage, NeverShortensOne)
{
    const TemporaryFolder folder;
    const std::string path = folder.put("image", std::string(8192, 'x'));
    EXPECT_EQ(failure([&] { complete_image(path, 4096, false); }),
              "image '" + path + "' is longer than 4 KiB");
    EXPECT_EQ(read_file(path).size(), 8192U);
}

TEST(BlankImageEnds, LeavesTheMiddleAndTheSize)
{
    const TemporaryFolder folder;
    const std::string path = folder.put("image", std::string(8 * MiB, 'x'));
    blank_image_ends(path);
    const std::string zeros(2 * MiB, '\0');
    EXPECT_TRUE(read_file(path) == zeros + std::string(4 * MiB, 'x') + zeros);
}

TEST(BlankImageEnds, TakesShortImages)
{
    for (const std::uint64_t size : {std::uint64_t{4096}, 2 * MiB, 3 * MiB, 4 * MiB}) {
        const TemporaryFolder folder;
        const std::string path = folder.put("image", std::string(size, 'x'));
        blank_image_ends(path);
        EXPECT_TRUE(read_file(path) == std::string(size, '\0')) << size;
    }
}

TEST(BlankImageEnds, TakesAwayAnArray)
{
    const TemporaryFolder folder;
    const std::string path = folder.put("image", recorded_leg() + std::string(8 * MiB, '\0'));
    ASSERT_EQ(inspect_image(path).content, ImageContent::array);
    blank_image_ends(path);
    EXPECT_EQ(inspect_image(path).content, ImageContent::empty);
}

} // namespace
} // namespace zraid
