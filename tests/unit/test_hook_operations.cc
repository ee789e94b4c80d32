#include "devices/zram.h"
#include "domains/hook_operations.h"
#include "mirror/claims.h"
#include "pools/store.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/log_capture.h"
#include "support/pool_definitions.h"
#include "support/recorded_leg.h"
#include "util/lock.h"
#include "util/size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::failure_code;
using test::FakeSystem;
using test::LogCapture;
using test::pool_definition;
using test::recorded_leg;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

TEST(HookActionTest, IsTakenFromBothWords)
{
    EXPECT_EQ(hook_action("prepare", "begin"), HookAction::prepare);
    EXPECT_EQ(hook_action("release", "end"), HookAction::release);
    EXPECT_EQ(hook_action("reconnect", "begin"), HookAction::reconnect);
    for (const char* operation :
         {"prepare", "start", "started", "stopped", "release", "migrate", "restore", "reconnect",
          "attach", "", "Prepare", "prepared", "future"})
        for (const char* part : {"begin", "end", "-", "", "Begin", "middle"}) {
            const std::string both = operation + std::string(" ") + part;
            const bool meant =
                both == "prepare begin" || both == "release end" || both == "reconnect begin";
            EXPECT_EQ(hook_action(operation, part) != HookAction::none, meant) << both;
        }
}

constexpr const char* kWeb = "11111111-1111-1111-1111-111111111111";
constexpr const char* kDb = "22222222-2222-2222-2222-222222222222";

/// A pool "vm" whose array is there on its disk leg; memory for a RAM leg is not.
class HookOperations : public ::testing::Test
{
protected:
    HookOperations()
    {
        define("vm", 100, "0123abcd-4567-89ef-fedc-ba9876543210");
        system_.put_tree("md100-disk-only.tree", "sys/block/md100");
        system_.put("sys/class/zram-control/hot_add", "0\n");
        system_.put("sys/class/zram-control/hot_remove", "");
        put_memory(MiB);
    }
    void define(const std::string& name, int number, const std::string& uuid)
    {
        PoolDefinition pool = pool_definition(name);
        pool.image = system_.put(name + ".img", recorded_leg());
        pool.md_number = number;
        pool.uuid = Uuid::parse(uuid);
        pool.settings.libvirt = true;
        PoolStore(system_.paths).save(pool);
    }
    void put_memory(std::uint64_t available)
    {
        system_.put("proc/meminfo", "MemTotal: 4194304 kB\nMemAvailable: " +
                                        std::to_string(available / 1024) + " kB\n");
    }
    static std::string domain(const std::string& name, const std::string& uuid,
                              const std::vector<std::string>& pools = {"vm"})
    {
        std::string disks;
        for (const std::string& pool : pools)
            disks += "<disk type='volume'><source pool='" + pool + "' volume='x'/></disk>";
        return "<domain><name>" + name + "</name><uuid>" + uuid + "</uuid><devices>" + disks +
               "</devices></domain>";
    }
    std::vector<std::string> users(const std::string& pool = "vm") const
    {
        std::vector<std::string> names;
        for (const Claim& claim : Claims(system_.paths, pool).list())
            names.push_back(claim.domain);
        return names;
    }

    FakeSystem system_;
    LogCapture log_;
};

TEST_F(HookOperations, PrepareClaimsAndWarnsWhereThereIsNoMemory)
{
    EXPECT_EQ(failure([&] { prepare_domain(system_.paths, domain("web", kWeb)); }), "no error");
    EXPECT_THAT(users(), ElementsAre("web"));
    EXPECT_THAT(log_.lines(),
                ElementsAre(AllOf(
                    StartsWith("warning: pool 'vm' runs from its disk leg alone: make the RAM leg: "
                               "the RAM leg may need 64.4 MiB (table 384 KiB)"),
                    HasSubstr("zraid-pool budget shows what fits"))));
    EXPECT_EQ(read_file(system_ / "sys/class/zram-control/hot_remove"), "");
}

TEST_F(HookOperations, PrepareOnAMirroredPoolChangesNothingButTheClaim)
{
    system_.put_tree("md100-mirrored.tree", "sys/block/md100");
    EXPECT_EQ(failure([&] { prepare_domain(system_.paths, domain("web", kWeb)); }), "no error");
    EXPECT_EQ(failure([&] { prepare_domain(system_.paths, domain("web", kWeb)); }), "no error");
    EXPECT_THAT(users(), ElementsAre("web"));
    EXPECT_THAT(log_.lines(), IsEmpty());
}

TEST_F(HookOperations, PrepareFailsWithoutTheArray)
{
    system_.remove("sys/block/md100");
    system_.remove("vm.img");
    EXPECT_EQ(failure([&] { prepare_domain(system_.paths, domain("web", kWeb)); }),
              "pool 'vm': its image is not there. Next: bring back the file, or mount what it lies "
              "on");
    EXPECT_EQ(failure_code([&] { prepare_domain(system_.paths, domain("web", kWeb)); }), 1);
    // libvirt calls release then.
    EXPECT_EQ(failure([&] { release_domain(system_.paths, "web", domain("web", kWeb)); }),
              "no error");
    EXPECT_THAT(users(), IsEmpty());
}

TEST_F(HookOperations, PrepareFailsWhereTheNumberIsTaken)
{
    PoolDefinition pool = PoolStore(system_.paths).load("vm");
    pool.uuid = Uuid::random();
    PoolStore(system_.paths).save(pool);
    EXPECT_THAT(failure([&] { prepare_domain(system_.paths, domain("web", kWeb)); }),
                StartsWith("pool 'vm': its md number is taken by another array. Next: "));
}

TEST_F(HookOperations, PrepareOfOtherDomainsLeavesNoTrace)
{
    EXPECT_EQ(failure([&] { prepare_domain(system_.paths, domain("web", kWeb, {"default"})); }),
              "no error");
    EXPECT_FALSE(std::filesystem::exists(system_.paths.run));
    EXPECT_THAT(log_.lines(), IsEmpty());
}

TEST_F(HookOperations, PrepareSaysWhatIsWrongWithTheXml)
{
    EXPECT_THAT(failure([&] { prepare_domain(system_.paths, ""); }),
                HasSubstr("the domain XML is empty"));
}

TEST_F(HookOperations, PrepareGivesBackAZramThatDoesNotBecomeALeg)
{
    // mdadm finds no array at the fake device: the RAM leg cannot be added.
    put_memory(1000 * MiB);
    system_.put_all("sys/block/zram0", {{"comp_algorithm", "[lzo]"},
                                        {"disksize", "0"},
                                        {"diskseq", "13"},
                                        {"mem_limit", ""},
                                        {"reset", ""},
                                        {"mm_stat", "0 0 0 0 0 0 0 0"}});
    system_.put("dev/zram0", "");
    EXPECT_EQ(failure([&] { prepare_domain(system_.paths, domain("web", kWeb)); }), "no error");
    EXPECT_THAT(log_.lines(),
                ElementsAre(StartsWith("warning: pool 'vm' runs from its disk leg alone: "
                                       "add the RAM leg: ")));
    EXPECT_EQ(read_file(system_ / "sys/class/zram-control/hot_remove"), "0");
    EXPECT_FALSE(std::filesystem::exists(system_ / "run/ram/vm.json"));
    EXPECT_THAT(users(), ElementsAre("web"));
}

TEST_F(HookOperations, ReleaseDropsTheDomainsClaimOnly)
{
    prepare_domain(system_.paths, domain("web", kWeb));
    prepare_domain(system_.paths, domain("db", kDb));
    EXPECT_THAT(users(), UnorderedElementsAre("web", "db"));
    release_domain(system_.paths, "web", domain("web", kWeb));
    EXPECT_THAT(users(), ElementsAre("db"));
    release_domain(system_.paths, "web", domain("web", kWeb));
    EXPECT_THAT(users(), ElementsAre("db"));
    release_domain(system_.paths, "db", domain("db", kDb));
    EXPECT_THAT(users(), IsEmpty());
    EXPECT_THAT(Claims::pools(system_.paths), IsEmpty());
}

TEST_F(HookOperations, ReleaseTidiesWhatAKilledPrepareLeft)
{
    const auto folder = system_.paths.claims("vm");
    system_.put(std::filesystem::relative(folder / "half.json.new", system_.path()), "{");
    release_domain(system_.paths, "web", domain("web", kWeb));
    EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_F(HookOperations, ReleaseDropsTheClaimsOnAllPools)
{
    define("mail", 101, "ffffffff-4567-89ef-fedc-ba9876543210");
    system_.put_tree("md100-disk-only.tree", "sys/block/md101");
    system_.put("sys/block/md101/md/uuid", "ffffffff-4567-89ef-fedc-ba9876543210\n");
    prepare_domain(system_.paths, domain("web", kWeb, {"vm", "mail"}));
    EXPECT_THAT(Claims::pools(system_.paths), ElementsAre("mail", "vm"));
    // Its disks may be others by now, its claims are what counts.
    release_domain(system_.paths, "web", domain("web", kWeb, {}));
    EXPECT_THAT(Claims::pools(system_.paths), IsEmpty());
}

TEST_F(HookOperations, ReleaseGoesByTheNameWhereTheXmlIsBroken)
{
    prepare_domain(system_.paths, domain("web", kWeb));
    prepare_domain(system_.paths, domain("db", kDb));
    EXPECT_EQ(failure([&] { release_domain(system_.paths, "web", "<domain"); }), "no error");
    EXPECT_THAT(users(), ElementsAre("db"));
    EXPECT_THAT(log_.lines().back(),
                StartsWith("warning: domain 'web' is released by its name: the domain XML is "
                           "broken"));
}

TEST_F(HookOperations, ReleaseWithoutClaimsLooksAtNothing)
{
    EXPECT_EQ(failure([&] { release_domain(system_.paths, "web", "no XML at all"); }), "no error");
    EXPECT_FALSE(std::filesystem::exists(system_.paths.run));
    EXPECT_THAT(log_.lines(), IsEmpty());
}

TEST_F(HookOperations, ReleaseClearsAwayAZramThatIsInNoArray)
{
    prepare_domain(system_.paths, domain("web", kWeb));
    system_.put_all("sys/block/zram0",
                    {{"disksize", "67108864"}, {"diskseq", "13"}, {"reset", ""}});
    system_.put("run/ram/vm.json", R"({"device": "zram0", "sequence": "13", "worst_bytes": 0})");
    release_domain(system_.paths, "web", domain("web", kWeb));
    EXPECT_EQ(read_file(system_ / "sys/class/zram-control/hot_remove"), "0");
    EXPECT_FALSE(std::filesystem::exists(system_ / "run/ram/vm.json"));
}

TEST_F(HookOperations, ReleaseKeepsTheRamLegWhileOthersUseThePool)
{
    prepare_domain(system_.paths, domain("web", kWeb));
    prepare_domain(system_.paths, domain("db", kDb));
    system_.put_all("sys/block/zram0",
                    {{"disksize", "67108864"}, {"diskseq", "13"}, {"reset", ""}});
    system_.put("run/ram/vm.json", R"({"device": "zram0", "sequence": "13", "worst_bytes": 0})");
    release_domain(system_.paths, "web", domain("web", kWeb));
    EXPECT_EQ(read_file(system_ / "sys/class/zram-control/hot_remove"), "");
}

TEST_F(HookOperations, ReleaseKeepsTheOnlyGoodCopy)
{
    prepare_domain(system_.paths, domain("web", kWeb));
    system_.remove("sys/block/md100");
    system_.put_tree("md100-disk-faulty.tree", "sys/block/md100");
    system_.remove("vm.img");
    EXPECT_THAT(failure([&] { release_domain(system_.paths, "web", domain("web", kWeb)); }),
                StartsWith("pool 'vm': the RAM leg stays up, it holds the only good copy: its "
                           "image is not there. Next: "));
    EXPECT_THAT(users(), IsEmpty()) << "the domain is gone all the same";
}

TEST_F(HookOperations, ReleaseKeepsTheRamLegUntilTheDiskLegIsBack)
{
    prepare_domain(system_.paths, domain("web", kWeb));
    system_.remove("sys/block/md100");
    system_.put_tree("md100-disk-faulty.tree", "sys/block/md100");
    // md copies to it.
    system_.put("sys/block/md100/md/dev-loop0/state", "spare,write_mostly\n");
    EXPECT_EQ(failure([&] { release_domain(system_.paths, "web", domain("web", kWeb)); }),
              "pool 'vm': the RAM leg stays up until the disk leg has what it missed. Next: "
              "zraid-pool detach vm when zraid-pool info says mirrored");
}

TEST_F(HookOperations, ReleaseTriesAllPools)
{
    define("mail", 101, "ffffffff-4567-89ef-fedc-ba9876543210");
    Claims(system_.paths, "mail").add({"web", Uuid::parse(kWeb)});
    Claims(system_.paths, "vm").add({"web", Uuid::parse(kWeb)});
    system_.put("etc/pools/mail.xml", "<zraidpool>\n");
    EXPECT_THAT(failure([&] { release_domain(system_.paths, "web", domain("web", kWeb)); }),
                StartsWith("pool 'mail': " + (system_ / "etc/pools/mail.xml").string() + ":"));
    EXPECT_THAT(Claims::pools(system_.paths), IsEmpty());
}

TEST_F(HookOperations, ReleaseForgetsAPoolThatIsNotDefinedAnyMore)
{
    Claims(system_.paths, "old").add({"web", Uuid::parse(kWeb)});
    EXPECT_EQ(failure([&] { release_domain(system_.paths, "web", domain("web", kWeb)); }),
              "no error");
    EXPECT_THAT(Claims::pools(system_.paths), IsEmpty());
}

} // namespace
} // namespace zraid
