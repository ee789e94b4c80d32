#include "mirror/claims.h"
#include "mirror/hold.h"
#include "mirror/ram_leg.h"
#include "monitor/keeper.h"
#include "support/log_capture.h"
#include "support/resource_limit.h"
#include "support/saved_pool.h"
#include "util/log_fields.h"
#include "util/size.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::LogCapture;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

using Seconds = std::chrono::seconds;

/// The clock is the test's, the kernel's files are recorded. No device can be made here, so that
/// whatever is tried fails, and the log tells when it was tried.
class KeeperTest : public test::SavedPool
{
protected:
    KeeperTest() { system_.folder("sys/class/zram-control"); }
    ~KeeperTest() override { take_log_fields(); } // what failed is told, but to no journal

    /// What one look logs.
    /// @param at since the first
    std::vector<std::string> look(Milliseconds at)
    {
        const LogCapture log;
        look_ = keeper_.look(start_ + at);
        return log.lines();
    }
    /// Looks when the keeper wants to, until `end`. Times at which a line that begins so was
    /// logged, in seconds.
    std::vector<long> times_of(const std::string& begin, Seconds end)
    {
        std::vector<long> times;
        Milliseconds now{0};
        while (now <= end) {
            for (const std::string& line : look(now)) {
                if (line.starts_with(begin))
                    times.push_back(std::chrono::duration_cast<Seconds>(now).count());
            }
            if (!look_.again || *look_.again <= Milliseconds{0}) {
                ADD_FAILURE() << "it wants to look again never, or at once";
                break;
            }
            now += *look_.again;
        }
        return times;
    }
    void want_ram_leg() const { set_hold(system_.paths, "vm", Hold::attached); }
    void put_lost_ram_leg(std::uint64_t limit, std::uint64_t peak) const
    {
        put_array("md100-ram-faulty.tree");
        system_.put_all("sys/block/zram0",
                        {{"disksize", "67108864"},
                         {"diskseq", "13"},
                         {"reset", ""},
                         {"mm_stat", fmt::format("0 0 0 {} {} 0 0 0 0", limit, peak)}});
        RamLegRecord{"zram0", "13", 0}.save(system_.paths, "vm");
    }
    /// A look while no file can be written: the lost leg stays where it is.
    std::vector<std::string> look_that_changes_nothing(Milliseconds at)
    {
        const test::FileSizeLimit limit(0);
        return look(at);
    }

    const Keeper::Clock::time_point start_{std::chrono::hours{1}};
    Keeper keeper_{admin_, "vm", Seconds{10}};
    Keeper::Look look_;
};

constexpr const char* kRepairTried = "warning: pool 'vm': take the disk leg back";
constexpr const char* kAttachTried = "warning: pool 'vm': attach a RAM leg";

TEST_F(KeeperTest, HasNothingToDoForAPoolThatIsNotDefined)
{
    PoolStore(system_.paths).remove("vm");
    EXPECT_THAT(look(Seconds{0}), IsEmpty());
    EXPECT_EQ(look_.done, Care::none);
    EXPECT_EQ(look_.again, std::nullopt);
}

TEST_F(KeeperTest, WaitsForEventsWhereThePoolIsDown)
{
    EXPECT_THAT(look(Seconds{0}), IsEmpty());
    EXPECT_EQ(look_.again, std::nullopt);
}

TEST_F(KeeperTest, LooksForWhatTheKernelTellsNobody)
{
    want_ram_leg();
    put_array("md100-filling.tree");
    system_.put("proc/mdstat", "md100 : active raid1 zram0[1] loop0[0](W)\n"
                               "      [=>...]  recovery =  2.1% (1408/64512) finish=0.1min\n");
    EXPECT_THAT(look(Seconds{0}), IsEmpty());
    EXPECT_EQ(look_.again, Seconds{1}) << "how far the fill is";
    put_array("md100-mirrored.tree");
    system_.remove("proc/mdstat");
    EXPECT_THAT(look(Seconds{1}), IsEmpty());
    EXPECT_EQ(look_.again, std::nullopt) << "write errors are looked for apart";
}

TEST_F(KeeperTest, TakesTheDiskLegBackSoonAndThenEachMinute)
{
    put_array("md100-ram-only.tree");
    EXPECT_THAT(times_of(kRepairTried, Seconds{190}),
                ElementsAre(0, 1, 3, 7, 15, 31, 63, 123, 183));
}

TEST_F(KeeperTest, TriesAtOnceWhereADeviceMayBeBack)
{
    put_array("md100-ram-only.tree");
    EXPECT_THAT(times_of(kRepairTried, Seconds{8}), ElementsAre(0, 1, 3, 7));
    EXPECT_THAT(look(Seconds{14}), IsEmpty());
    EXPECT_EQ(look_.again, Seconds{1});
    keeper_.devices_changed();
    EXPECT_THAT(look(Seconds{14}), ElementsAre(StartsWith(kRepairTried)));
    EXPECT_EQ(look_.again, Seconds{1}) << "from the begin";
}

TEST_F(KeeperTest, TellsTroubleAgainAndAgain)
{
    put_array("md100-ram-only.tree");
    EXPECT_THAT(times_of("critical: pool 'vm': ram-only", Seconds{450}),
                ElementsAre(0, 60, 180, 420));
    EXPECT_THAT(look_.trouble, StartsWith("ram-only"));
    want_ram_leg();
    put_array("md100-mirrored.tree");
    EXPECT_THAT(look(Seconds{451}), ElementsAre("warning: pool 'vm': all is well again"));
    EXPECT_EQ(look_.trouble, "");
    put_array("md100-ram-only.tree");
    EXPECT_THAT(look(Seconds{452}), Contains(StartsWith("critical: pool 'vm': ram-only")))
        << "trouble that is new is told at once";
}

TEST_F(KeeperTest, TriesToAttachEachTimeLater)
{
    want_ram_leg();
    put_array("md100-disk-only.tree");
    system_.put("sys/class/zram-control/hot_add", "0\n");
    system_.put("proc/meminfo", "MemTotal: 1024 kB\nMemAvailable: 1024 kB\n");
    EXPECT_THAT(times_of(kAttachTried, Seconds{80}), ElementsAre(0, 5, 15, 35, 75));
    EXPECT_THAT(attach_problem(system_.paths, "vm"), HasSubstr("the RAM leg may need 64.4 MiB"));
    Milliseconds due = Seconds{155};
    for (const Seconds wait : {Seconds{160}, Seconds{320}, Seconds{600}, Seconds{600}}) {
        EXPECT_THAT(look(due - Milliseconds{1}), IsEmpty());
        EXPECT_THAT(look(due), ElementsAre(StartsWith(kAttachTried)));
        due += wait;
    }
}

TEST_F(KeeperTest, ComesBackWhenWhoeverIsAtWorkMayBeDone)
{
    put_array("md100-ram-only.tree");
    {
        const FileLock other = lock_pool(system_.paths, "vm");
        EXPECT_THAT(look(Seconds{0}), ElementsAre(StartsWith("critical: ")));
        EXPECT_EQ(look_.again, Seconds{1});
        EXPECT_THAT(look(Seconds{1}), IsEmpty());
        EXPECT_EQ(look_.again, Seconds{1}) << "that was no failure";
    }
    EXPECT_THAT(look(Seconds{2}), ElementsAre(StartsWith(kRepairTried)));
}

TEST_F(KeeperTest, TellsWhyTheRamLegIsLostAndWaitsBeforeTheNext)
{
    want_ram_leg();
    put_lost_ram_leg(0, 0);
    EXPECT_THAT(look_that_changes_nothing(Seconds{0}),
                Contains("warning: pool 'vm' runs from its disk leg alone: the kernel dropped the "
                         "RAM leg, see its log"));
    put_array("md100-disk-only.tree");
    system_.remove("sys/block/zram0");
    EXPECT_THAT(look(Milliseconds{4'000}), IsEmpty());
    EXPECT_THAT(look(Seconds{20}), ElementsAre(StartsWith(kAttachTried)));
}

TEST_F(KeeperTest, MakesNoRamLegThatWouldReachItsLimitAgain)
{
    want_ram_leg();
    pool_.settings.ram_limit = 32 * MiB;
    save();
    put_lost_ram_leg(32 * MiB, 33 * MiB);
    EXPECT_THAT(look_that_changes_nothing(Seconds{0}),
                Contains("warning: pool 'vm' runs from its disk leg alone: the RAM leg reached its "
                         "limit of 32 MiB, and the kernel dropped it. Next: define the pool with a "
                         "larger --ram-limit"));
    put_array("md100-disk-only.tree");
    system_.remove("sys/block/zram0");
    EXPECT_THAT(look(std::chrono::hours{1}), IsEmpty());
    pool_.settings.ram_limit = 48 * MiB;
    save();
    EXPECT_THAT(look(std::chrono::hours{1}), ElementsAre(StartsWith(kAttachTried)));
}

TEST_F(KeeperTest, AsksLibvirtForUsersNowAndThen)
{
    const Claims claims(system_.paths, "vm");
    const Uuid gone = Uuid::parse("11111111-1111-1111-1111-111111111111");
    claims.add({"test", Uuid::parse(test::kTestDomain)});
    look(Seconds{0});
    EXPECT_EQ(look_.again, Seconds{30});
    claims.add({"gone", gone});
    look(Milliseconds{29'999});
    EXPECT_EQ(claims.list().size(), 2U);
    look(Seconds{30});
    EXPECT_EQ(claims.list().size(), 1U);
}

TEST_F(KeeperTest, ForgetsTheHoldWithTheLastUser)
{
    const Claims claims(system_.paths, "vm");
    claims.add({"gone", Uuid::parse("11111111-1111-1111-1111-111111111111")});
    set_hold(system_.paths, "vm", Hold::detached);
    {
        const FileLock other = lock_pool(system_.paths, "vm");
        look(Seconds{0});
        EXPECT_EQ(claims.list().size(), 1U);
        EXPECT_EQ(look_.again, Seconds{1});
    }
    look(Seconds{1});
    EXPECT_THAT(claims.list(), IsEmpty());
    EXPECT_EQ(hold_of(system_.paths, "vm"), Hold::none);
}

} // namespace
} // namespace zraid
