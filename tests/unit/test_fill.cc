#include "devices/superblock.h"
#include "mirror/fill.h"
#include "mirror/ram_leg.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/recorded_leg.h"
#include "util/fd.h"
#include "util/size.h"

#include <fcntl.h>
#include <fmt/format.h>
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

/// A pool that fills, whose image has one chunk to be copied: 16 to 20 MiB into the array.
class FillProgressTest : public ::testing::Test
{
protected:
    FillProgressTest()
    {
        pool_.name = "vm";
        pool_.md_number = 100;
        pool_.image = system_.put("image", recorded_leg());
        view_.array = MdArray{};
        view_.array->number = 100;
        view_.array->sync_done = 2048;
        view_.array->sync_total = 129024;
        view_.array->sync_speed = 1024;
        view_.disk = Leg{"loop0", true, false};
        view_.ram = Leg{"zram1", false, false};
    }
    void put_position(std::uint64_t kib)
    {
        system_.put("proc/mdstat", fmt::format("Personalities : [raid1]\n"
                                               "md1 : active raid1 sda[0]\n"
                                               "      [>...]  check =  9.0% (9/99) finish=1min\n"
                                               "md100 : active raid1 zram1[1] loop0[0](W)\n"
                                               "      64512 blocks super 1.2 [2/1] [U_]\n"
                                               "      [>...]  recovery =  9.3% ({}/64512) "
                                               "finish=0.1min speed=1024K/sec\n",
                                               kib));
    }
    FillProgress progress() const
    {
        const auto progress = fill_progress(system_.paths, pool_, view_);
        EXPECT_TRUE(progress);
        return progress.value_or(FillProgress{});
    }

    FakeSystem system_;
    PoolDefinition pool_;
    PoolView view_;
};

TEST_F(FillProgressTest, CountsWhatASparseFillHasStillToCopy)
{
    RamLegRecord{"zram1", "13", 99, kSparseFill, 8 * MiB}.save(system_.paths, "vm");
    put_position(1024);
    EXPECT_EQ(progress().left, 4 * MiB);
    EXPECT_EQ(progress().percent(), 50.0);
    EXPECT_EQ(progress().position, MiB);
    EXPECT_EQ(progress().remaining(), std::chrono::seconds(4));
    put_position(std::uint64_t{19} * 1024);
    EXPECT_EQ(progress().left, 4 * MiB) << "in the middle of the chunk";
    put_position(std::uint64_t{20} * 1024);
    EXPECT_EQ(progress().left, 0U) << "holes take no time";
    EXPECT_EQ(progress().percent(), 100.0);
    EXPECT_EQ(progress().remaining(), std::chrono::seconds(0));
}

TEST_F(FillProgressTest, CountsAllOfTheArrayInAFullFill)
{
    for (const char* fill : {kFullFill, ""}) {
        RamLegRecord{"zram1", "13", 99, fill}.save(system_.paths, "vm");
        put_position(32256);
        EXPECT_EQ(progress().percent(), 50.0);
        EXPECT_EQ(progress().left, std::uint64_t{32256} * 1024);
        EXPECT_EQ(progress().remaining(), std::chrono::seconds(32)) << "31.5, rounded up";
    }
}

TEST_F(FillProgressTest, TakesSysfsForItBeforeMdstatHasAFigure)
{
    EXPECT_EQ(progress().position, MiB);
    system_.put("proc/mdstat", "md100 : active raid1\n      resync=DELAYED\n");
    EXPECT_EQ(progress().position, MiB);
}

TEST_F(FillProgressTest, HasNoTimeWithoutASpeed)
{
    view_.array->sync_speed = 0;
    EXPECT_EQ(progress().remaining(), std::nullopt);
    view_.array->sync_total = 0;
    EXPECT_EQ(progress().percent(), 0.0);
}

TEST_F(FillProgressTest, IsNothingUnlessFilling)
{
    const auto seen = [&] { return fill_progress(system_.paths, pool_, view_).has_value(); };
    view_.ram->in_sync = true;
    EXPECT_FALSE(seen()) << "a check, perhaps";
    view_.disk->in_sync = false;
    EXPECT_FALSE(seen()) << "the disk leg is copied to";
    view_.ram = Leg{"zram1", false, true};
    view_.disk->in_sync = true;
    EXPECT_FALSE(seen());
}

} // namespace
} // namespace zraid
