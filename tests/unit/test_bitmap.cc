#include "devices/bitmap.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/recorded_leg.h"
#include "util/fd.h"
#include "util/size.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace zraid {

/// For gtest's messages.
void PrintTo(const ChunkRange& range, std::ostream* stream)
{
    *stream << range.first << "-" << range.last;
}

namespace {

using test::failure;
using test::FakeSystem;
using test::LegOffset;
using test::patch;
using test::recorded_leg;
using test::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ReadBitmap, ReadsARecordedOne)
{
    const TemporaryFolder folder;
    const MdBitmap bitmap = read_bitmap(folder.put("image", recorded_leg()));
    EXPECT_EQ(bitmap.chunk, 4 * MiB);
    EXPECT_EQ(bitmap.chunks, 16U) << "63 MiB, the last chunk is not full";
    for (std::uint64_t chunk = 0; chunk < bitmap.chunks; ++chunk)
        EXPECT_EQ(bitmap.is_set(chunk), chunk == 4) << chunk;
}

TEST(ReadBitmap, CountsBitsFromTheLowest)
{
    const TemporaryFolder folder;
    std::string leg = recorded_leg();
    patch(leg, LegOffset::bits, 2, 0x8001);
    const MdBitmap bitmap = read_bitmap(folder.put("image", leg));
    for (std::uint64_t chunk = 0; chunk < 16; ++chunk)
        EXPECT_EQ(bitmap.is_set(chunk), chunk == 0 || chunk == 15) << chunk;
}

TEST(ReadBitmap, RefusesWhatIsNone)
{
    const TemporaryFolder folder;
    const std::string path = folder / "image";
    const auto text = [&](const std::string& leg) {
        folder.put("image", leg);
        return failure([&] { read_bitmap(path); });
    };
    EXPECT_EQ(text(std::string(MiB, '\0')), "'" + path + "' has no internal bitmap");
    std::string leg = recorded_leg();
    patch(leg, LegOffset::feature_map, 4, 0);
    EXPECT_EQ(text(leg), "'" + path + "' has no internal bitmap");
    leg = recorded_leg();
    patch(leg, LegOffset::bitmap, 4, 0);
    EXPECT_EQ(text(leg), "the bitmap of '" + path + "' is not understood");
    for (const std::size_t at : {LegOffset::bitmap + 40, LegOffset::bitmap + 52}) {
        leg = recorded_leg();
        patch(leg, at, 4, 0);
        EXPECT_EQ(text(leg), "the bitmap of '" + path + "' has no size");
    }
    for (const std::size_t size : {LegOffset::bitmap + 10, LegOffset::bits + 1})
        EXPECT_EQ(text(recorded_leg().substr(0, size)),
                  "read the bitmap of '" + path + "': the file ends in it");
}

TEST(ReadBitmap, RefusesASizeThatCannotBe)
{
    // A size that would need more memory than there is must not end the hook with bad_alloc.
    const TemporaryFolder folder;
    std::string leg = recorded_leg();
    patch(leg, LegOffset::bitmap + 40, 8, std::uint64_t{1} << 54U);
    patch(leg, LegOffset::bitmap + 52, 4, 512);
    EXPECT_THROW(read_bitmap(folder.put("image", leg)), Error);
}

TEST(ChunksOf, CoverTheData)
{
    struct Case
    {
        const char* name;
        std::vector<Extent> extents;
        std::vector<ChunkRange> expected;
    };
    // Chunks of 100 bytes behind an offset of 1000; 10 of them.
    for (const Case& c : std::vector<Case>{
             {"nothing", {}, {}},
             {"md's own", {{0, 1000}}, {}},
             {"the first byte", {{0, 1001}}, {{0, 0}}},
             {"one chunk", {{1000, 1100}}, {{0, 0}}},
             {"a byte more", {{1000, 1101}}, {{0, 1}}},
             {"inside a chunk", {{1310, 1320}}, {{3, 3}}},
             {"over an edge", {{1390, 1410}}, {{3, 4}}},
             {"apart", {{1000, 1010}, {1500, 1700}}, {{0, 0}, {5, 6}}},
             {"twice in a chunk", {{1310, 1320}, {1330, 1340}}, {{3, 3}}},
             {"in neighbours", {{1310, 1320}, {1430, 1440}}, {{3, 4}}},
             {"ends where the next begins", {{1310, 1450}, {1460, 1600}}, {{3, 5}}},
             {"all", {{0, 2000}}, {{0, 9}}},
             {"beyond the end", {{1950, 3000}}, {{9, 9}}},
             {"behind the end", {{2000, 2100}}, {}},
             {"far behind the end", {{1000, 1001}, {5000, 5100}}, {{0, 0}}},
         })
        EXPECT_EQ(chunks_of(c.extents, 1000, 100, 10), c.expected) << c.name;
}

TEST(ChunksOf, TakeTheLargestImage)
{
    const std::uint64_t chunks = (16 * TiB - MiB + 4 * MiB - 1) / (4 * MiB);
    EXPECT_THAT(chunks_of({{0, 16 * TiB}}, MiB, 4 * MiB, chunks),
                ElementsAre(ChunkRange{0, chunks - 1}));
}

class SetBitmapBits : public ::testing::Test
{
protected:
    SetBitmapBits() { system_.put("sys/block/md100/md/bitmap_set_bits", ""); }
    std::string file() const { return system_ / "sys/block/md100/md/bitmap_set_bits"; }

    FakeSystem system_;
};

TEST_F(SetBitmapBits, WritesRanges)
{
    set_bitmap_bits(system_.paths, 100, {{0, 0}, {5, 9}, {4194303, 4194303}});
    EXPECT_EQ(read_file(file()), "0-0 5-9 4194303-4194303 ");
}

TEST_F(SetBitmapBits, WritesNothingForNothing)
{
    system_.remove("sys/block/md100");
    EXPECT_EQ(failure([&] { set_bitmap_bits(system_.paths, 100, {}); }), "no error");
}

TEST_F(SetBitmapBits, SplitsWhatSysfsDoesNotTakeAtOnce)
{
    std::vector<ChunkRange> ranges;
    std::string all;
    for (std::uint64_t i = 0; i < 1000; ++i) {
        ranges.push_back({4'000'000 + 2 * i, 4'000'000 + 2 * i});
        all += fmt::format("{0}-{0} ", ranges.back().first);
    }
    // Each write overwrites the file from its start: its size is that of the longest one.
    set_bitmap_bits(system_.paths, 100, ranges);
    const std::size_t longest = read_file(file()).size();
    EXPECT_LT(longest, 4096U);
    EXPECT_GT(longest, 1000U);

    // A pipe in its place shows them all.
    system_.remove("sys/block/md100/md/bitmap_set_bits");
    ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
    UniqueFd writer = open_file(file(), O_RDWR);
    const UniqueFd reader = open_file(file(), O_RDONLY | O_NONBLOCK);
    set_bitmap_bits(system_.paths, 100, ranges);
    writer.reset();
    EXPECT_EQ(read_all(reader.get(), "pipe", MiB), all);
}

TEST_F(SetBitmapBits, NamesTheAttributeThatIsNotThere)
{
    EXPECT_EQ(failure([&] {
                  set_bitmap_bits(system_.paths, 101, {{1, 1}});
              }),
              "open '" + (system_ / "sys/block/md101/md/bitmap_set_bits").string() +
                  "': No such file or directory");
}

} // namespace
} // namespace zraid
