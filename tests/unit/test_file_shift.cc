#include "devices/file_shift.h"
#include "support/failure.h"
#include "support/temporary_folder.h"
#include "util/fd.h"
#include "util/size.h"

#include <filesystem>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Where = ShiftState::Where;

constexpr std::uint64_t kFront = 2 * MiB;
// Three runs of data, with a hole behind the first.
const FileMap kPlain{{0, 10 * MiB, MiB}, {4 * MiB, 40 * MiB, MiB}, {5 * MiB, 20 * MiB, 3 * MiB}};

FileMap shifted(FileMap map, std::size_t from)
{
    for (std::size_t i = from; i < map.size(); ++i)
        map[i].logical += kFront;
    return map;
}

TEST(FileShift, OfWhatIsWhereItWasIsNotBegun)
{
    EXPECT_EQ(compare_maps(kPlain, kPlain, kFront).where, Where::plain);
    EXPECT_EQ(compare_maps({}, {}, kFront).where, Where::plain);
}

TEST(FileShift, IsDoneWhenEveryByteHasMoved)
{
    EXPECT_EQ(compare_maps(kPlain, shifted(kPlain, 0), kFront).where, Where::inserted);
    // Something in front, and behind, is of no interest.
    FileMap more = shifted(kPlain, 0);
    more.insert(more.begin(), {0, 90 * MiB, 64 * KiB});
    more.push_back({30 * MiB, 80 * MiB, MiB});
    EXPECT_EQ(compare_maps(kPlain, more, kFront).where, Where::inserted);
}

TEST(FileShift, CutOffShowsItsGap)
{
    const ShiftState behind_hole = compare_maps(kPlain, shifted(kPlain, 1), kFront);
    EXPECT_EQ(behind_hole.where, Where::between);
    EXPECT_EQ(behind_hole.gap, 4 * MiB);
    EXPECT_EQ(compare_maps(kPlain, shifted(kPlain, 2), kFront).gap, 5 * MiB);
}

TEST(FileShift, CutOffWithinAnExtentShowsItsGap)
{
    // The file system had split the last one.
    const FileMap split{kPlain[0],
                        kPlain[1],
                        {5 * MiB, 20 * MiB, MiB + 4096},
                        {6 * MiB + 4096 + kFront, 21 * MiB + 4096, 2 * MiB - 4096}};
    const ShiftState state = compare_maps(kPlain, split, kFront);
    EXPECT_EQ(state.where, Where::between);
    EXPECT_EQ(state.gap, 6 * MiB + 4096);
}

TEST(FileShift, OfAnotherFileIsNotTakenForOne)
{
    FileMap other = kPlain;
    other[1].physical += 4096;
    EXPECT_THAT(failure([&] { compare_maps(kPlain, other, kFront); }),
                HasSubstr("byte 4194304 of it is not where it was"));
    FileMap wrong_order = kPlain;
    wrong_order[0].logical += kFront;
    EXPECT_THAT(failure([&] { compare_maps(kPlain, wrong_order, kFront); }),
                HasSubstr("in another order"));
    EXPECT_THAT(failure([&] { compare_maps(kPlain, {}, kFront); }), HasSubstr("not where it was"));
}

TEST(FileShift, OfBlocksThatAreThereTwiceIsNotGuessed)
{
    // One run that the file has at two places, by a reflink.
    const FileMap plain{{0, 10 * MiB, MiB}, {2 * MiB, 10 * MiB, MiB}, {4 * MiB, 10 * MiB, MiB}};
    const FileMap between{{0, 10 * MiB, MiB}, {2 * MiB, 10 * MiB, MiB}, {6 * MiB, 10 * MiB, MiB}};
    EXPECT_THAT(failure([&] { compare_maps(plain, between, kFront); }),
                HasSubstr("the same blocks twice"));
    EXPECT_EQ(compare_maps(plain, plain, kFront).where, Where::plain);
    EXPECT_EQ(compare_maps(plain, shifted(plain, 0), kFront).where, Where::inserted);
}

TEST(FileMaps, AreCutAtBothEnds)
{
    EXPECT_THAT(map_behind(kPlain, 0, 6 * MiB),
                ElementsAre(kPlain[0], kPlain[1], MappedExtent{5 * MiB, 20 * MiB, MiB}));
    EXPECT_THAT(map_behind(shifted(kPlain, 0), kFront, 100 * MiB),
                ElementsAre(kPlain[0], kPlain[1], kPlain[2]));
    EXPECT_THAT(map_behind({{0, 10 * MiB, 3 * MiB}}, kFront, MiB),
                ElementsAre(MappedExtent{0, 12 * MiB, MiB}));
    EXPECT_THAT(map_behind({{0, 10 * MiB, MiB}}, kFront, MiB), IsEmpty());
}

TEST(FileMaps, AreReadAsTheyWereWritten)
{
    EXPECT_EQ(parse_file_map(to_text(kPlain)), kPlain);
    EXPECT_THAT(parse_file_map(to_text({})), IsEmpty());
}

TEST(FileMaps, ThatAreBrokenAreRefused)
{
    for (const std::string text : {"", "0 1 2\n", "0 1\nend\n", "a b c\nend\n", "0 1 2 3\nend\n",
                                   "0 1 0\nend\n", "8 1 8\n4 1 2\nend\n"})
        EXPECT_THAT(failure([&] { parse_file_map(text); }), HasSubstr("is broken")) << text;
}

TEST(FileMaps, OfAFileThatHasNoneAreRefused)
{
    const UniqueFd null = open_file("/dev/null", O_RDWR);
    EXPECT_THAT(failure([&] { read_file_map(null.get(), "null"); }),
                HasSubstr("ask where 'null' lies"));
    EXPECT_THAT(failure([&] { insert_front(null.get(), "null", kFront); }),
                HasSubstr("insert 2097152 bytes in front of 'null'"));
    EXPECT_THAT(failure([&] { take_out(null.get(), "null", 0, kFront); }),
                HasSubstr("take 2097152 bytes out of 'null'"));
}

TEST(InsertRange, IsTriedWithoutATrace)
{
    const TemporaryFolder folder;
    const auto time = std::filesystem::last_write_time(folder.path());
    can_insert_range(folder.path(), 2 * MiB); // whatever this file system can
    EXPECT_EQ(std::filesystem::last_write_time(folder.path()), time);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    EXPECT_EQ(can_insert_range(folder / "none", 2 * MiB), std::nullopt);
}

} // namespace
} // namespace zraid
