#include "devices/bitmap.h"
#include "devices/takeover.h"
#include "support/failure.h"
#include "support/foreign_leg.h"
#include "support/temporary_folder.h"
#include "util/files.h"
#include "util/size.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::foreign_leg;
using test::LegOffset;
using test::number_in;
using test::patch;
using test::sign;
using test::TemporaryFolder;
using ::testing::HasSubstr;

class TakeOver : public ::testing::Test
{
protected:
    std::string put(const std::string& leg, std::uint64_t size = 64 * MiB)
    {
        const std::string path = folder_.put("image", leg);
        std::filesystem::resize_file(path, size);
        return path;
    }
    std::string refusal(std::string leg, std::uint64_t size = 64 * MiB, bool with_sum = true)
    {
        if (with_sum)
            sign(leg);
        return why_not_taken_over(read_foreign_leg(put(leg, size)).value(), size);
    }
    static std::string with(std::size_t at, std::size_t bytes, std::uint64_t value)
    {
        std::string leg = foreign_leg();
        patch(leg, at, bytes, value);
        return leg;
    }

    TemporaryFolder folder_;
};

TEST_F(TakeOver, ReadsALeg)
{
    const auto leg = read_foreign_leg(put(foreign_leg()));
    ASSERT_TRUE(leg);
    EXPECT_TRUE(leg->is_whole);
    EXPECT_EQ(leg->level, 1);
    EXPECT_EQ(leg->raid_disks, 2U);
    EXPECT_EQ(leg->size, 63 * MiB);
    EXPECT_EQ(leg->role, 1);
    EXPECT_EQ(leg->superblock.name, "host:0");
    EXPECT_EQ(why_not_taken_over(*leg, 64 * MiB), "");
    EXPECT_FALSE(read_foreign_leg(put(std::string(MiB, '\0'))));
    EXPECT_FALSE(read_foreign_leg(put("short", 5)));
}

TEST_F(TakeOver, RefusesWhatMayLackData)
{
    EXPECT_THAT(refusal(with(LegOffset::events, 8, 1), 64 * MiB, false), HasSubstr("checksum"));
    EXPECT_THAT(refusal(with(LegOffset::feature_map, 4, 8)), HasSubstr("bad blocks"));
    EXPECT_THAT(refusal(with(LegOffset::feature_map, 4, 2)), HasSubstr("not copied all data"));
    EXPECT_THAT(refusal(with(LegOffset::feature_map, 4, 4)), HasSubstr("features"));
    EXPECT_THAT(refusal(with(LegOffset::roles + 2, 2, 0xffff)), HasSubstr("a spare"));
    EXPECT_THAT(refusal(with(LegOffset::roles + 2, 2, 0xfffe)), HasSubstr("had failed"));
    EXPECT_THAT(refusal(with(LegOffset::dev_number, 4, 5000)), HasSubstr("a spare"));
    EXPECT_THAT(refusal(with(4096 + 72, 4, 5)), HasSubstr("RAID level 5 with 2"));
    EXPECT_THAT(refusal(with(4096 + 92, 4, 3)), HasSubstr("with 3 devices"));
    EXPECT_THAT(refusal(foreign_leg(), 64 * MiB - 4096), HasSubstr("its array needs 67108864"));
    EXPECT_THAT(refusal(with(LegOffset::data_offset, 8, 16)), HasSubstr("8192 bytes behind"));
    EXPECT_THAT(refusal(with(LegOffset::data_offset, 8, 1025)), HasSubstr("4096-byte sector"));
    EXPECT_EQ(refusal(with(LegOffset::feature_map, 4, 1)), "");
}

TEST_F(TakeOver, MakesADiskLeg)
{
    const std::string image = put(foreign_leg());
    const std::string saved = header_of(image);
    EXPECT_TRUE(is_header_of(saved, image));
    take_over_leg(image, "zraid:md0", 16 * MiB);
    EXPECT_FALSE(is_header_of(saved, image));

    const auto superblock = read_superblock(image);
    ASSERT_TRUE(superblock);
    EXPECT_EQ(superblock->name, "zraid:md0");
    EXPECT_EQ(superblock->array_uuid.text(), "0123abcd-4567-89ef-fedc-ba9876543210");
    EXPECT_EQ(superblock->events, 36U);
    EXPECT_EQ(superblock->data_offset, MiB);
    EXPECT_FALSE(superblock->has_bad_blocks);
    EXPECT_EQ(superblock->bitmap_offset, LegOffset::bitmap);
    const MdBitmap bitmap = read_bitmap(image);
    EXPECT_EQ(bitmap.chunk, 16 * MiB);
    EXPECT_EQ(bitmap.chunks, 4U);
    for (std::uint64_t chunk = 0; chunk < bitmap.chunks; ++chunk)
        EXPECT_FALSE(bitmap.is_set(chunk));
    // The other leg can be made of it: slot 0, in one piece.
    write_second_leg_header(image, folder_.put("zram", ""));
    EXPECT_EQ(read_foreign_leg(image)->role, 0);

    // Nothing else has changed, and what was saved undoes it.
    const std::string now = read_file(image, 65 * MiB);
    EXPECT_EQ(now.substr(saved.size()).find_first_not_of('\0'), std::string::npos);
    std::string back = now;
    back.replace(0, saved.size(), saved);
    EXPECT_EQ(back.substr(0, MiB), foreign_leg());
}

TEST_F(TakeOver, MakesTheArrayEndAtASector)
{
    std::string leg = with(4096 + 80, 8, (63 * MiB + 1024) / 512);
    sign(leg);
    const std::string image = put(leg, 64 * MiB + 1536);
    EXPECT_EQ(size_after_takeover(64 * MiB + 1536), 64 * MiB + 4096);
    take_over_leg(image, "zraid:md0", 16 * MiB);
    EXPECT_EQ(std::filesystem::file_size(image), 64 * MiB + 4096);
    EXPECT_EQ(read_foreign_leg(image)->size, 63 * MiB + 4096);
}

TEST_F(TakeOver, ChangesNothingItRefuses)
{
    std::string leg = with(LegOffset::feature_map, 4, 8);
    sign(leg);
    const std::string image = put(leg);
    EXPECT_THAT(failure([&] { take_over_leg(image, "zraid:md0", 16 * MiB); }),
                HasSubstr("bad blocks"));
    EXPECT_EQ(read_file(image, 65 * MiB).substr(0, MiB), leg);
}

} // namespace
} // namespace zraid
