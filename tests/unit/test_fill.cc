#include "devices/superblock.h"
#include "mirror/fill.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/recorded_leg.h"
#include "util/fd.h"
#include "util/size.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace zraid {
namespace {

using test::failure;
using test::FakeSystem;
using test::recorded_leg;
using ::testing::HasSubstr;

/// The recorded disk leg, whose bitmap has chunk 4 marked, and a fake zram1; on the build's file
/// system, which takes O_DIRECT where /tmp may not.
class PrepareSparseFill : public ::testing::Test
{
protected:
    PrepareSparseFill() : system_(std::filesystem::current_path())
    {
        pool_.name = "vm";
        pool_.md_number = 100;
        pool_.image = system_.put("image", recorded_leg());
        EXPECT_EQ(::truncate(pool_.image.c_str(), 64 << 20), 0);
        system_.put("dev/zram1", "");
        system_.put("sys/block/md100/md/bitmap_set_bits", "");
    }
    /// Writes a byte into a chunk of the array.
    void write_chunk(std::uint64_t chunk) const
    {
        const UniqueFd fd = open_file(pool_.image, O_RDWR);
        const std::uint64_t at = MiB + chunk * 4 * MiB + MiB;
        EXPECT_EQ(::pwrite(fd.get(), "x", 1, static_cast<off_t>(at)), 1);
    }
    void prepare() const { prepare_sparse_fill(system_.paths, pool_, "zram1"); }
    std::string marked() const { return read_file(system_ / "sys/block/md100/md/bitmap_set_bits"); }

    FakeSystem system_;
    PoolDefinition pool_;
};

TEST_F(PrepareSparseFill, MarksTheChunksWithDataAndMakesALeg)
{
    write_chunk(4);
    prepare();
    EXPECT_EQ(marked(), "4-4 ");
    const auto superblock = read_superblock(system_ / "dev/zram1");
    ASSERT_TRUE(superblock);
    EXPECT_EQ(superblock->name, "zraid:vm");
    EXPECT_EQ(superblock->events, 36U);
}

TEST_F(PrepareSparseFill, MarksNothingOfAnEmptyImage)
{
    prepare();
    EXPECT_EQ(marked(), "");
    EXPECT_TRUE(read_superblock(system_ / "dev/zram1"));
}

TEST_F(PrepareSparseFill, MakesNoLegWhereTheKernelDidNotMark)
{
    write_chunk(4);
    write_chunk(7);
    EXPECT_EQ(failure([&] { prepare(); }), "the kernel did not mark chunk 7 in the bitmap");
    EXPECT_EQ(marked(), "4-4 7-7 ");
    EXPECT_EQ(read_file(system_ / "dev/zram1"), "") << "the leg has no superblock";
}

TEST_F(PrepareSparseFill, NeedsAnArrayOnTheImage)
{
    system_.put("image", std::string(MiB, '\0'));
    EXPECT_THAT(failure([&] { prepare(); }), HasSubstr("no md superblock"));
    EXPECT_EQ(read_file(system_ / "dev/zram1"), "");
}

TEST_F(PrepareSparseFill, NeedsABitmap)
{
    std::string leg = recorded_leg();
    test::patch(leg, test::LegOffset::feature_map, 4, 0);
    system_.put("image", leg);
    EXPECT_EQ(failure([&] { prepare(); }), "'" + pool_.image + "' has no internal bitmap");
    EXPECT_EQ(read_file(system_ / "dev/zram1"), "");
}

} // namespace
} // namespace zraid
