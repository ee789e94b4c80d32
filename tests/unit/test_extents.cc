#include "devices/extents.h"
#include "support/failure.h"
#include "support/temporary_folder.h"
#include "util/fd.h"
#include "util/size.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace zraid {
namespace {

using test::failure;
using test::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A file of a size with some bytes written at some places, not flushed.
std::string put_file(const TemporaryFolder& folder, std::uint64_t size,
                     const std::vector<std::uint64_t>& places, bool allocate = false)
{
    const std::string path = folder / "image";
    const UniqueFd fd = open_file(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    EXPECT_EQ(::ftruncate(fd.get(), static_cast<off_t>(size)), 0);
    if (allocate) {
        EXPECT_EQ(::posix_fallocate(fd.get(), 0, static_cast<off_t>(size)), 0);
    }
    for (const std::uint64_t place : places)
        EXPECT_EQ(::pwrite(fd.get(), "data", 4, static_cast<off_t>(place)), 4);
    return path;
}

bool covers(const std::vector<Extent>& extents, std::uint64_t place)
{
    for (const Extent& extent : extents) {
        if (extent.begin <= place && place < extent.end)
            return true;
    }
    return false;
}

TEST(DataExtents, AreNoneOfAnEmptyFile)
{
    const TemporaryFolder folder;
    EXPECT_THAT(data_extents(put_file(folder, 0, {})), IsEmpty());
    EXPECT_THAT(data_extents(put_file(folder, TiB, {})), IsEmpty()) << "all a hole";
}

TEST(DataExtents, CoverWhatWasWritten)
{
    const std::uint64_t size = 64 * MiB;
    const std::vector<std::uint64_t> places{0, 16 * MiB + 5, 40 * MiB - 2, size - 4};
    const TemporaryFolder folder;
    const auto extents = data_extents(put_file(folder, size, places));
    for (const std::uint64_t place : places) {
        EXPECT_TRUE(covers(extents, place)) << place;
        EXPECT_TRUE(covers(extents, place + 3)) << place;
    }
    std::uint64_t end = 0;
    std::uint64_t total = 0;
    for (const Extent& extent : extents) {
        EXPECT_TRUE(extent.begin > end || end == 0) << "sorted, with a hole between two";
        EXPECT_LT(extent.begin, extent.end);
        EXPECT_LE(extent.end, size);
        end = extent.end;
        total += extent.end - extent.begin;
    }
    EXPECT_LT(total, 8 * MiB) << "the rest of it is holes";
}

TEST(DataExtents, AreAllOfAFullFile)
{
    const TemporaryFolder folder;
    const std::string path = folder.put("image", std::string(3 * MiB, 'x'));
    EXPECT_THAT(data_extents(path), ElementsAre(Extent{0, 3 * MiB}));
}

TEST(DataExtents, SeeDataThatWaitsInThePageCache)
{
    const TemporaryFolder folder;
    const auto extents = data_extents(put_file(folder, 8 * MiB, {4 * MiB}, true));
    EXPECT_TRUE(covers(extents, 4 * MiB));
}

TEST(DataExtents, NameTheFileThatIsNotThere)
{
    EXPECT_EQ(failure([] { data_extents("/no/image"); }),
              "open '/no/image': No such file or directory");
}

} // namespace
} // namespace zraid
