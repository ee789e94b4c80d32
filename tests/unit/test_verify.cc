#include "mirror/verify.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "util/size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::FakeSystem;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(DoubtMark, IsClearedOnlyAsTheOneThatWasSeen)
{
    const FakeSystem system;
    const DoubtMark mark(system.paths, "vm");
    EXPECT_EQ(mark.id(), 0U);
    mark.clear();
    mark.set("why");
    const auto first = mark.id();
    EXPECT_NE(first, 0U);
    mark.clear(first + 1);
    EXPECT_EQ(mark.id(), first);
    mark.clear(first);
    EXPECT_EQ(mark.id(), 0U);
    mark.set("why");
    mark.clear();
    EXPECT_EQ(mark.id(), 0U);
}

TEST(DoubtMark, TellsWhy)
{
    const FakeSystem system;
    const DoubtMark mark(system.paths, "vm");
    EXPECT_EQ(mark.why(), "");
    mark.set("Input/output error");
    EXPECT_EQ(mark.why(), "Input/output error");
    EXPECT_EQ(mark.kind(), DoubtKind::ram_is_right);
    mark.set("a scrub found a difference", DoubtKind::unknown);
    EXPECT_EQ(mark.why(), "a scrub found a difference");
    EXPECT_EQ(mark.kind(), DoubtKind::unknown);
    const std::uint64_t id = mark.id();
    mark.set("Input/output error");
    EXPECT_NE(mark.id(), id) << "a comparison that is under way does not end it";
    EXPECT_EQ(mark.kind(), DoubtKind::unknown) << "which leg is right is known no better";
    EXPECT_EQ(mark.why(), "a scrub found a difference");
    mark.set("an administrator said so", DoubtKind::ram_is_right);
    EXPECT_EQ(mark.kind(), DoubtKind::ram_is_right);
}

TEST(DoubtMark, IsRememberedIfItCannotBeWritten)
{
    const FakeSystem system;
    system.put("run/doubts", "a file where the folder should be");
    const DoubtMark mark(system.paths, "vm");
    mark.set("Stale file handle");
    EXPECT_NE(mark.id(), 0U);
    EXPECT_EQ(mark.why(), "Stale file handle");
    EXPECT_NE(DoubtMark(system.paths, "vm").id(), 0U);
    mark.clear();
    EXPECT_EQ(mark.id(), 0U);
}

/// An array of 16 MiB with chunks of 4 MiB, and its image; files stand in for both. What the
/// definition says of the chunks may be wrong.
class DifferingChunks : public testing::Test
{
protected:
    DifferingChunks()
    {
        pool_.name = "vm";
        pool_.md_number = 100;
        pool_.bitmap_chunk = 16 * MiB;
        put_chunk(4 * MiB);
        pool_.image = (system_.path() / "vm.img").string();
        put(std::string(16 * MiB, 'a'));
    }

    void put_chunk(std::uint64_t bytes) const
    {
        system_.put("sys/block/md100/md/bitmap/chunksize", std::to_string(bytes) + "\n");
    }
    void put(const std::string& content, const std::string& header = std::string(kDataOffset, 'h'))
    {
        system_.put("dev/md100", std::string(16 * MiB, 'a'));
        system_.put("vm.img", header + content);
    }
    std::vector<ChunkRange> differing()
    {
        return differing_chunks(system_.paths, pool_, [this](double percent) { seen_ = percent; });
    }

    FakeSystem system_{std::filesystem::current_path()}; // tmpfs may not know O_DIRECT
    PoolDefinition pool_;
    double seen_ = -1;
};

TEST_F(DifferingChunks, AreNoneInTheSame)
{
    EXPECT_THAT(differing(), IsEmpty());
    EXPECT_EQ(seen_, 100);
}

TEST_F(DifferingChunks, AreFoundByOneByte)
{
    std::string content(16 * MiB, 'a');
    content[0] = 'b';
    content[4 * MiB - 1] = 'b';
    content[8 * MiB] = 'b';
    content[16 * MiB - 1] = 'b';
    put(content);
    EXPECT_THAT(differing(), ElementsAre(ChunkRange{0, 0}, ChunkRange{2, 3}));
}

TEST_F(DifferingChunks, MayBeSmallerThanWhatIsReadAtATime)
{
    put_chunk(64 * KiB);
    std::string content(16 * MiB, 'a');
    content[5 * MiB] = 'b';
    put(content);
    EXPECT_THAT(differing(), ElementsAre(ChunkRange{80, 95}));
}

TEST_F(DifferingChunks, AreNotLookedForInAShortImage)
{
    put(std::string(15 * MiB, 'a'));
    EXPECT_THAT(failure([&] { differing(); }), testing::HasSubstr("it ends at"));
}

} // namespace
} // namespace zraid
