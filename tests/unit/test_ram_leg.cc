#include "devices/zram.h"
#include "mirror/ram_leg.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/log_capture.h"
#include "support/pool_definitions.h"
#include "util/size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace zraid {
namespace {

using test::failure;
using test::FakeSystem;
using test::LogCapture;
using test::pool_definition;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

/// A host with zram: the next device will be zram1, zram0 is swap.
class RamLeg : public ::testing::Test
{
protected:
    RamLeg()
    {
        put_device("zram0", "4294967296", "7");
        system_.put("sys/class/zram-control/hot_add", "1\n");
        system_.put("sys/class/zram-control/hot_remove", "");
        system_.put("dev/zram1", "");
        put_memory(1000 * MiB);
    }
    void put_device(const std::string& name, const std::string& size, const std::string& sequence)
    {
        system_.put_all("sys/block/" + name,
                        {{"comp_algorithm", "lzo [lzo-rle] zstd"},
                         {"disksize", size},
                         {"diskseq", sequence},
                         {"mem_limit", ""},
                         {"reset", ""},
                         {"mm_stat", "66068480 8388874 8413184 0 8413184 14080 0 2048 2048"}});
    }
    void put_memory(std::uint64_t available)
    {
        system_.put("proc/meminfo", "MemTotal: 4194304 kB\nMemAvailable: " +
                                        std::to_string(available / 1024) + " kB\n");
    }
    std::optional<std::string> device() const
    {
        return RamLegRecord::device_of(system_.paths, "vm");
    }
    std::string removed() const { return read_file(system_ / "sys/class/zram-control/hot_remove"); }
    std::string attribute(const std::string& name) const
    {
        // Without what the fake kernel's file held before and a shorter text did not cover.
        const std::string text = read_file(system_ / ("sys/block/zram1/" + name));
        return text.substr(0, text.find('\n'));
    }

    FakeSystem system_;
};

TEST_F(RamLeg, RecordComesBackAsItWas)
{
    EXPECT_EQ(RamLegRecord::load(system_.paths, "vm").has_value(), false);
    RamLegRecord{"zram1", "13", 12345678901234, "sparse"}.save(system_.paths, "vm");
    const auto record = RamLegRecord::load(system_.paths, "vm");
    ASSERT_TRUE(record);
    EXPECT_EQ(record->device, "zram1");
    EXPECT_EQ(record->sequence, "13");
    EXPECT_EQ(record->worst, 12345678901234U);
    EXPECT_EQ(record->fill, "sparse");
    EXPECT_EQ(RamLegRecord::load(system_.paths, "other").has_value(), false);
    struct stat info = {};
    ASSERT_EQ(::stat((system_ / "run/ram/vm.json").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);

    RamLegRecord::remove(system_.paths, "vm");
    RamLegRecord::remove(system_.paths, "vm");
    EXPECT_EQ(RamLegRecord::load(system_.paths, "vm").has_value(), false);
}

TEST_F(RamLeg, RecordNotesTheFill)
{
    RamLegRecord::note_fill(system_.paths, "vm", "full");
    EXPECT_EQ(RamLegRecord::load(system_.paths, "vm").has_value(), false) << "no leg, no note";
    RamLegRecord{"zram1", "13", 99}.save(system_.paths, "vm");
    RamLegRecord::note_fill(system_.paths, "vm", "full");
    const auto record = RamLegRecord::load(system_.paths, "vm");
    EXPECT_EQ(record->fill, "full");
    EXPECT_EQ(record->device, "zram1");
    EXPECT_EQ(record->sequence, "13");
    EXPECT_EQ(record->worst, 99U);
}

TEST_F(RamLeg, BrokenRecordIsAsGoodAsNone)
{
    put_device("zram1", "67108864", "13");
    for (const char* text :
         {"", "{", "[]", "7", "null", "{}", "{\"device\": 5}", "{\"device\": null}",
          "{\"device\": \"zram1\"}", "{\"device\": \"zram1\", \"sequence\": 13}"}) {
        system_.put("run/ram/vm.json", text);
        std::optional<std::string> found;
        EXPECT_EQ(failure([&] { found = device(); }), "no error") << text;
        EXPECT_EQ(found, std::nullopt) << text;
    }
}

TEST_F(RamLeg, DeviceIsOursWithItsSequence)
{
    put_device("zram1", "67108864", "13");
    RamLegRecord{"zram1", "13", 0}.save(system_.paths, "vm");
    EXPECT_EQ(device(), "zram1");
}

TEST_F(RamLeg, DeviceOfAnotherSequenceIsNotOurs)
{
    // Ours was removed, and somebody made another one that got its number.
    put_device("zram1", "67108864", "14");
    RamLegRecord{"zram1", "13", 0}.save(system_.paths, "vm");
    EXPECT_EQ(device(), std::nullopt);
    put_device("zram1", "0", "14");
    EXPECT_EQ(device(), std::nullopt) << "not even without a size";
}

TEST_F(RamLeg, DeviceThatIsGoneIsNothing)
{
    RamLegRecord{"zram1", "13", 0}.save(system_.paths, "vm");
    EXPECT_EQ(device(), std::nullopt);
    RamLegRecord{"", "", 0}.save(system_.paths, "vm");
    EXPECT_EQ(device(), std::nullopt);
}

TEST_F(RamLeg, IntendedDeviceIsOursWhileNobodyGaveItASize)
{
    // Killed between hot_add and the second record.
    RamLegRecord{"zram1", "", 0}.save(system_.paths, "vm");
    EXPECT_EQ(device(), std::nullopt) << "killed before hot_add";
    put_device("zram1", "0", "13");
    EXPECT_EQ(device(), "zram1");
    put_device("zram1", "67108864", "13");
    EXPECT_EQ(device(), std::nullopt) << "somebody else's: we write the second record first";
}

TEST_F(RamLeg, IsMadeWithTheSettingsOfThePool)
{
    put_device("zram1", "0", "13");
    system_.remove("sys/block/zram1");
    PoolDefinition pool = pool_definition();
    pool.settings.compressor = "zstd";
    pool.settings.ram_limit = 32 * MiB;
    // The fake kernel's device exists from the start; hot_add says that it is number 1.
    put_device("zram2", "0", "14");
    system_.put("sys/class/zram-control/hot_add", "2\n");
    system_.put("dev/zram2", "");
    EXPECT_EQ(make_ram_leg(system_.paths, pool), "zram2");
    const auto record = RamLegRecord::load(system_.paths, "vm");
    ASSERT_TRUE(record);
    EXPECT_EQ(record->device, "zram2") << "what the kernel said, not what was foretold";
    EXPECT_EQ(record->sequence, "14");
    EXPECT_EQ(record->worst, 32 * MiB + zram_table_bytes(64 * MiB));
    const auto value = [&](const char* name) {
        return read_file(system_ / ("sys/block/zram2/" + std::string(name)));
    };
    EXPECT_THAT(value("comp_algorithm"), StartsWith("zstd"));
    EXPECT_THAT(value("mem_limit"), StartsWith("33554432"));
    EXPECT_THAT(value("disksize"), StartsWith("67108864"));
    EXPECT_EQ(RamLegRecord::device_of(system_.paths, "vm"), "zram2");
}

TEST_F(RamLeg, IsNeverWithoutALimit)
{
    put_device("zram1", "0", "13");
    make_ram_leg(system_.paths, pool_definition());
    EXPECT_EQ(attribute("mem_limit"), "67108864");
}

TEST_F(RamLeg, IsRefusedWhereMemoryDoesNotAllowIt)
{
    put_device("zram1", "0", "13");
    put_memory(64 * MiB);
    const std::string text = failure([&] { make_ram_leg(system_.paths, pool_definition()); });
    EXPECT_EQ(text, "the RAM leg may need 64.4 MiB (table 384 KiB), 57.6 MiB are to be had. Next: "
                    "free memory, define the pool with a smaller --ram-limit, or raise "
                    "memory-limit in zraid.conf; zraid-pool budget shows what fits");
    EXPECT_EQ(RamLegRecord::load(system_.paths, "vm").has_value(), false);
    EXPECT_EQ(attribute("disksize"), "0");
}

TEST_F(RamLeg, CountsWhatOtherPoolsWerePromised)
{
    put_device("zram1", "0", "13");
    put_memory(200 * MiB);
    EXPECT_EQ(failure([&] { make_ram_leg(system_.paths, pool_definition()); }), "no error");
    RamLegRecord::remove(system_.paths, "vm");
    put_device("zram9", "134217728", "20");
    RamLegRecord{"zram9", "20", 150 * MiB}.save(system_.paths, "other");
    put_device("zram1", "0", "13");
    EXPECT_THAT(failure([&] { make_ram_leg(system_.paths, pool_definition()); }),
                HasSubstr("the RAM leg may need 64.4 MiB"));
}

TEST_F(RamLeg, IsGivenBackWhenItCannotBeConfigured)
{
    put_device("zram1", "0", "13");
    system_.remove("sys/block/zram1/disksize");
    system_.link("sys/block/zram1/disksize", "/dev/full");
    EXPECT_THAT(failure([&] { make_ram_leg(system_.paths, pool_definition()); }),
                AllOf(StartsWith("write '67108864' to"), HasSubstr("No space left on device")));
    EXPECT_EQ(removed(), "1");
    EXPECT_EQ(RamLegRecord::load(system_.paths, "vm").has_value(), false);
}

TEST_F(RamLeg, WarnsOfACompressorThatTheKernelDoesNotHave)
{
    const LogCapture log;
    put_device("zram1", "0", "13");
    system_.remove("sys/block/zram1/comp_algorithm");
    system_.link("sys/block/zram1/comp_algorithm", "/dev/full");
    PoolDefinition pool = pool_definition();
    pool.settings.compressor = "lz5";
    EXPECT_EQ(make_ram_leg(system_.paths, pool), "zram1");
    EXPECT_THAT(log.lines(), ElementsAre(HasSubstr("compressor 'lz5' refused")));
}

TEST_F(RamLeg, IsDiscardedWithItsRecord)
{
    put_device("zram1", "67108864", "13");
    RamLegRecord{"zram1", "13", 0}.save(system_.paths, "vm");
    discard_ram_leg(system_.paths, "vm", "zram1");
    EXPECT_THAT(read_file(system_ / "sys/block/zram1/reset"), StartsWith("1"));
    EXPECT_EQ(removed(), "1");
    EXPECT_EQ(RamLegRecord::load(system_.paths, "vm").has_value(), false);
}

TEST_F(RamLeg, KeepsItsRecordWhenItCannotBeDiscarded)
{
    put_device("zram1", "67108864", "13");
    RamLegRecord{"zram1", "13", 0}.save(system_.paths, "vm");
    system_.remove("sys/block/zram1/reset");
    system_.link("sys/block/zram1/reset", "/dev/full");
    EXPECT_THAT(failure([&] { discard_ram_leg(system_.paths, "vm", "zram1"); }),
                HasSubstr("No space left on device"));
    EXPECT_EQ(device(), "zram1");
}

TEST_F(RamLeg, CompressorsAreAskedOfADeviceThatIsThere)
{
    EXPECT_THAT(offered_compressors(system_.paths, "vm"), ElementsAre("lzo", "lzo-rle", "zstd"));
    EXPECT_EQ(removed(), "") << "it is somebody else's";
    EXPECT_EQ(RamLegRecord::load(system_.paths, "vm").has_value(), false);
}

TEST_F(RamLeg, MemoryInUseIsThatOfOurDevices)
{
    put_device("zram1", "67108864", "13");
    put_device("zram3", "67108864", "15");
    RamLegRecord{"zram1", "13", 70 * MiB}.save(system_.paths, "vm");
    RamLegRecord{"zram3", "14", 70 * MiB}.save(system_.paths, "old"); // not ours any more
    RamLegRecord{"zram4", "16", 70 * MiB}.save(system_.paths, "gone");
    system_.put("run/ram/broken.json", "{");
    system_.put("run/ram/vm.json.new-5", "{");
    const auto uses = ram_in_use(system_.paths);
    ASSERT_EQ(uses.size(), 1U);
    EXPECT_EQ(uses[0].first, "vm");
    EXPECT_EQ(uses[0].second.taken, 8413184U + zram_table_bytes(64 * MiB));
    EXPECT_EQ(uses[0].second.worst, 70 * MiB);
}

TEST_F(RamLeg, NoMemoryIsInUseWithoutRecords)
{
    EXPECT_THAT(ram_in_use(system_.paths), IsEmpty());
}

} // namespace
} // namespace zraid
