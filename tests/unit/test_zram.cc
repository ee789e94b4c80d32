#include "devices/zram.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/log_capture.h"
#include "util/fd.h"
#include "util/size.h"

#include <array>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace zraid {
namespace {

using test::failure;
using test::FakeSystem;
using test::LogCapture;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

/// A fresh zram device as the kernel shows it.
void put_zram(const FakeSystem& system, const std::string& name)
{
    system.put_all("sys/block/" + name, {{"comp_algorithm", "lzo [lzo-rle] lz4 lz4hc zstd "},
                                         {"disksize", "0"},
                                         {"diskseq", "13"},
                                         {"mem_limit", ""},
                                         {"reset", ""}});
}

/// Names of the files of a folder in the order in which they were written to.
class WriteOrder
{
public:
    explicit WriteOrder(const std::filesystem::path& folder) : fd_(::inotify_init1(IN_NONBLOCK))
    {
        if (!fd_ || ::inotify_add_watch(fd_.get(), folder.c_str(), IN_MODIFY) < 0)
            throw SystemError(errno, "watch '" + folder.string() + "'");
    }
    std::vector<std::string> names() const
    {
        alignas(inotify_event) std::array<char, 4096> buffer{};
        const ssize_t n = ::read(fd_.get(), buffer.data(), buffer.size());
        std::vector<std::string> names;
        for (ssize_t at = 0; at < n;) {
            inotify_event event{};
            std::memcpy(&event, buffer.data() + at, sizeof event);
            names.emplace_back(buffer.data() + at + sizeof event);
            at += static_cast<ssize_t>(sizeof event + event.len);
        }
        return names;
    }

private:
    UniqueFd fd_;
};

TEST(ZramTable, TakesTwentyFourBytesAPage)
{
    EXPECT_EQ(zram_table_bytes(0), 0U);
    EXPECT_EQ(zram_table_bytes(1), 24U);
    EXPECT_EQ(zram_table_bytes(4096), 24U);
    EXPECT_EQ(zram_table_bytes(4097), 48U);
    EXPECT_EQ(zram_table_bytes(GiB), 6 * MiB);
    EXPECT_EQ(zram_table_bytes(kZramMaxSize), 96 * GiB);
}

TEST(ZramStatisticsTest, ReadsTheLinesOfSeveralKernels)
{
    struct Case
    {
        const char* kernel;
        const char* line;
        std::uint64_t data;
        std::uint64_t compressed;
        std::uint64_t stored;
        std::uint64_t limit;
    };
    for (const Case& c : std::vector<Case>{
             {"6.1, recorded",
              "66068480  8388874  8413184        0  8413184    14080        0     2048     2048",
              66068480, 8388874, 8413184, 0},
             {"4.2, 7 fields", "    4096       74    12288  1048576    12288        0        0",
              4096, 74, 12288, 1048576},
             {"4.18, 8 fields",
              "    4096       74    12288  1048576    12288        0        0        1", 4096, 74,
              12288, 1048576},
             {"fresh", "       0        0        0        0        0        0        0        0", 0,
              0, 0, 0},
             {"more than 32 bits",
              "17592186044416 8796093022208 8796093100000 9000000000000 1 2 3 4 5 6 7",
              17592186044416, 8796093022208, 8796093100000, 9000000000000}}) {
        const FakeSystem system;
        system.put_all("sys/block/zram1", {{"disksize", "67108864"}, {"mm_stat", c.line}});
        const auto statistics = zram_statistics(system.paths, "zram1");
        ASSERT_TRUE(statistics) << c.kernel;
        EXPECT_EQ(statistics->size, 64 * MiB) << c.kernel;
        EXPECT_EQ(statistics->data, c.data) << c.kernel;
        EXPECT_EQ(statistics->compressed, c.compressed) << c.kernel;
        EXPECT_EQ(statistics->stored, c.stored) << c.kernel;
        EXPECT_EQ(statistics->limit, c.limit) << c.kernel;
        EXPECT_EQ(statistics->table, 16384U * 24) << c.kernel;
    }
}

TEST(ZramStatisticsTest, AreNothingWithoutADevice)
{
    const FakeSystem system;
    EXPECT_EQ(zram_statistics(system.paths, "zram1").has_value(), false);
    system.put_all("sys/block/zram1", {{"disksize", "0"}});
    EXPECT_EQ(zram_statistics(system.paths, "zram1").has_value(), false) << "going away";
}

TEST(ZramStatisticsTest, RefusesALineThatItDoesNotUnderstand)
{
    for (const char* line : {"", "1 2 3", "a b c d", "1 2 three 4"}) {
        const FakeSystem system;
        system.put_all("sys/block/zram1", {{"disksize", "4096"}, {"mm_stat", line}});
        EXPECT_EQ(failure([&] { zram_statistics(system.paths, "zram1"); }),
                  "zram1: mm_stat '" + std::string(line) + "' is not understood");
    }
}

TEST(ZramCompressors, AreTheWordsWithoutTheBrackets)
{
    const FakeSystem system;
    put_zram(system, "zram1");
    EXPECT_THAT(zram_compressors(system.paths, "zram1"),
                ElementsAre("lzo", "lzo-rle", "lz4", "lz4hc", "zstd"));
    EXPECT_EQ(zram_compressor(system.paths, "zram1"), "lzo-rle");
}

TEST(ZramCompressors, MayBeOneOrNoneChosen)
{
    const FakeSystem system;
    system.put_all("sys/block/zram1", {{"comp_algorithm", "[lzo]"}});
    system.put_all("sys/block/zram2", {{"comp_algorithm", "lzo 842 deflate"}});
    EXPECT_THAT(zram_compressors(system.paths, "zram1"), ElementsAre("lzo"));
    EXPECT_EQ(zram_compressor(system.paths, "zram1"), "lzo");
    EXPECT_THAT(zram_compressors(system.paths, "zram2"), ElementsAre("lzo", "842", "deflate"));
    EXPECT_EQ(zram_compressor(system.paths, "zram2"), "");
}

TEST(NextZramNumber, IsTheLowestFreeOne)
{
    const FakeSystem system;
    EXPECT_EQ(next_zram_number(system.paths), 0);
    put_zram(system, "zram0");
    put_zram(system, "zram2");
    EXPECT_EQ(next_zram_number(system.paths), 1);
    put_zram(system, "zram1");
    EXPECT_EQ(next_zram_number(system.paths), 3);
}

TEST(DiskSequence, IsEmptyWhereThereIsNone)
{
    const FakeSystem system;
    put_zram(system, "zram1");
    EXPECT_EQ(disk_sequence(system.paths, "zram1"), "13");
    EXPECT_EQ(disk_sequence(system.paths, "zram2"), "");
    system.remove("sys/block/zram1/diskseq");
    EXPECT_EQ(disk_sequence(system.paths, "zram1"), "") << "before Linux 5.15";
}

TEST(AddZram, IsNamedByTheKernel)
{
    const FakeSystem system;
    system.put("sys/class/zram-control/hot_add", "7\n");
    system.put("dev/zram7", "");
    EXPECT_EQ(add_zram(system.paths), "zram7");
}

TEST(ConfigureZram, WritesTheSizeLast)
{
    const FakeSystem system;
    put_zram(system, "zram1");
    const WriteOrder order(system / "sys/block/zram1");
    configure_zram(system.paths, "zram1", {"zstd", 32 * MiB, 64 * MiB});
    EXPECT_THAT(order.names(), ElementsAre("comp_algorithm", "mem_limit", "disksize"));
    EXPECT_THAT(read_file(system / "sys/block/zram1/comp_algorithm"), StartsWith("zstd"));
    EXPECT_THAT(read_file(system / "sys/block/zram1/mem_limit"), StartsWith("33554432"));
    EXPECT_THAT(read_file(system / "sys/block/zram1/disksize"), StartsWith("67108864"));
}

TEST(ConfigureZram, NamesTheRecompressorBeforeTheSize)
{
    const FakeSystem system;
    put_zram(system, "zram1");
    configure_zram(system.paths, "zram1", {"", 0, 64 * MiB, "zstd"});
    EXPECT_FALSE(can_recompress(system.paths, "zram1"))
        << "a kernel before 6.2, which is no trouble";
    system.put("sys/block/zram1/recomp_algorithm", "");
    const WriteOrder order(system / "sys/block/zram1");
    configure_zram(system.paths, "zram1", {"", 0, 64 * MiB, "zstd"});
    EXPECT_THAT(order.names(), ElementsAre("recomp_algorithm", "disksize"));
    EXPECT_EQ(read_file(system / "sys/block/zram1/recomp_algorithm"), "algo=zstd priority=1");
    EXPECT_TRUE(can_recompress(system.paths, "zram1"));
}

TEST(RecompressZram, TakesIdlePagesOrAll)
{
    const FakeSystem system;
    put_zram(system, "zram1");
    for (const char* attribute : {"idle", "recompress"})
        system.put(std::string("sys/block/zram1/") + attribute, "");
    recompress_zram(system.paths, "zram1", std::chrono::seconds(7200));
    EXPECT_EQ(read_file(system / "sys/block/zram1/idle"), "7200");
    EXPECT_EQ(read_file(system / "sys/block/zram1/recompress"), "type=idle");
    system.put("sys/block/zram1/idle", "");
    recompress_zram(system.paths, "zram1", std::nullopt);
    EXPECT_EQ(read_file(system / "sys/block/zram1/idle"), "all");
}

TEST(ConfigureZram, LeavesTheKernelsDefaults)
{
    const FakeSystem system;
    put_zram(system, "zram1");
    const WriteOrder order(system / "sys/block/zram1");
    configure_zram(system.paths, "zram1", {"", 0, 64 * MiB});
    EXPECT_THAT(order.names(), ElementsAre("disksize"));
}

TEST(ConfigureZram, WarnsOfARefusedCompressorAndGoesOn)
{
    const FakeSystem system;
    const LogCapture log;
    put_zram(system, "zram1");
    system.remove("sys/block/zram1/comp_algorithm");
    system.link("sys/block/zram1/comp_algorithm", "/dev/full"); // refuses every write
    configure_zram(system.paths, "zram1", {"lz5", 0, 64 * MiB});
    EXPECT_THAT(log.lines(),
                ElementsAre(AllOf(StartsWith("warning: zram1: compressor 'lz5' refused"),
                                  HasSubstr("the kernel's default is used"),
                                  HasSubstr("sys/block/zram1/comp_algorithm lists those"))));
    EXPECT_THAT(read_file(system / "sys/block/zram1/disksize"), StartsWith("67108864"));
}

TEST(ConfigureZram, FailsWithoutTheLimitOrTheSize)
{
    for (const char* attribute : {"mem_limit", "disksize"}) {
        const FakeSystem system;
        const LogCapture log;
        put_zram(system, "zram1");
        const std::string file = "sys/block/zram1/" + std::string(attribute);
        system.remove(file);
        EXPECT_THAT(failure([&] {
                        configure_zram(system.paths, "zram1", {"", MiB, MiB});
                    }),
                    HasSubstr("open '" + (system / file).string() + "'"));
        EXPECT_THAT(log.lines(), IsEmpty());
    }
}

TEST(RemoveZram, ResetsAndRemoves)
{
    const FakeSystem system;
    put_zram(system, "zram12");
    system.put("sys/class/zram-control/hot_remove", "");
    remove_zram(system.paths, "zram12");
    EXPECT_THAT(read_file(system / "sys/block/zram12/reset"), StartsWith("1"));
    EXPECT_EQ(read_file(system / "sys/class/zram-control/hot_remove"), "12");
}

TEST(RemoveZram, TouchesNothingWhereThereIsNoDevice)
{
    const FakeSystem system;
    system.put("sys/class/zram-control/hot_remove", "");
    remove_zram(system.paths, "zram12");
    EXPECT_EQ(read_file(system / "sys/class/zram-control/hot_remove"), "");
}

TEST(RemoveZram, SaysWhatWentWrong)
{
    const FakeSystem system;
    put_zram(system, "zram1");
    system.remove("sys/block/zram1/reset");
    system.link("sys/block/zram1/reset", "/dev/full");
    EXPECT_EQ(failure([&] { remove_zram(system.paths, "zram1"); }),
              "write '1' to '" + (system / "sys/block/zram1/reset").string() +
                  "': No space left on device");
}

} // namespace
} // namespace zraid
