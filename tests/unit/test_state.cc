#include "mirror/ram_leg.h"
#include "mirror/state.h"
#include "support/fake_system.h"
#include "support/pool_definitions.h"
#include "support/recorded_leg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::FakeSystem;
using test::pool_definition;
using test::recorded_leg;

std::optional<Leg> leg_in(const std::string& text)
{
    if (text == "none")
        return std::nullopt;
    return Leg{"x", text == "in_sync", text == "faulty"};
}

TEST(PoolStateTest, FollowsFromTheLegs)
{
    struct Case
    {
        const char* disk;
        const char* ram;
        PoolState expected;
    };
    for (const Case& c : std::vector<Case>{{"in_sync", "in_sync", PoolState::mirrored},
                                           {"in_sync", "spare", PoolState::filling},
                                           {"in_sync", "faulty", PoolState::disk_only},
                                           {"in_sync", "none", PoolState::disk_only},
                                           {"spare", "in_sync", PoolState::ram_only},
                                           {"spare", "spare", PoolState::failed},
                                           {"spare", "faulty", PoolState::failed},
                                           {"spare", "none", PoolState::failed},
                                           {"faulty", "in_sync", PoolState::ram_only},
                                           {"faulty", "spare", PoolState::failed},
                                           {"faulty", "faulty", PoolState::failed},
                                           {"faulty", "none", PoolState::failed},
                                           {"none", "in_sync", PoolState::ram_only},
                                           {"none", "spare", PoolState::failed},
                                           {"none", "faulty", PoolState::failed},
                                           {"none", "none", PoolState::failed}}) {
        PoolView view;
        view.disk = leg_in(c.disk);
        view.ram = leg_in(c.ram);
        EXPECT_EQ(view.state(), PoolState::inactive) << "without an array";
        view.array = MdArray{};
        view.array->array_state = "inactive";
        EXPECT_EQ(view.state(), PoolState::inactive);
        for (const char* state : {"clean", "active", "read-auto", "readonly", "write-pending",
                                  "active-idle", "a new word"}) {
            view.array->array_state = state;
            EXPECT_EQ(to_string(view.state()), to_string(c.expected))
                << state << ", disk " << c.disk << ", RAM " << c.ram;
        }
    }
}

TEST(PoolStateTest, HasTheWordsOfTheManual)
{
    EXPECT_EQ(to_string(PoolState::inactive), "inactive");
    EXPECT_EQ(to_string(PoolState::disk_only), "disk-only");
    EXPECT_EQ(to_string(PoolState::filling), "filling");
    EXPECT_EQ(to_string(PoolState::mirrored), "mirrored");
    EXPECT_EQ(to_string(PoolState::ram_only), "ram-only");
    EXPECT_EQ(to_string(PoolState::failed), "failed");
}

// What LOOP_GET_STATUS64 tells needs a kernel (tests/lab): these trees have no loop devices, which
// view_pool takes for an image that is not attached.
class ViewPool : public ::testing::Test
{
protected:
    ViewPool() { pool_.image = system_.put("image", recorded_leg()); }
    PoolView view() const { return view_pool(system_.paths, pool_); }

    FakeSystem system_;
    PoolDefinition pool_ = pool_definition();
};

TEST_F(ViewPool, ReadsRecordedArrays)
{
    struct Case
    {
        const char* recording;
        PoolState state;
        bool disk;
        bool ram;
    };
    for (const Case& c :
         std::vector<Case>{{"md100-disk-only.tree", PoolState::disk_only, true, false},
                           {"md100-filling.tree", PoolState::filling, true, true},
                           {"md100-mirrored.tree", PoolState::mirrored, true, true},
                           {"md100-disk-faulty.tree", PoolState::ram_only, true, true},
                           {"md100-ram-only.tree", PoolState::ram_only, false, true},
                           {"md100-ram-faulty.tree", PoolState::disk_only, true, true}}) {
        system_.remove("sys/block/md100");
        system_.put_tree(c.recording, "sys/block/md100");
        const PoolView seen = view();
        EXPECT_EQ(to_string(seen.state()), to_string(c.state)) << c.recording;
        EXPECT_EQ(seen.disk.has_value(), c.disk) << c.recording;
        EXPECT_EQ(seen.ram.has_value(), c.ram) << c.recording;
        EXPECT_FALSE(seen.number_taken) << c.recording;
        EXPECT_EQ(seen.disk ? seen.disk->device : "loop0", "loop0");
        EXPECT_EQ(seen.ram ? seen.ram->device : "zram0", "zram0");
    }
}

TEST_F(ViewPool, SeesNoArray)
{
    const PoolView seen = view();
    EXPECT_TRUE(seen.image);
    EXPECT_FALSE(seen.array);
    EXPECT_FALSE(seen.number_taken);
    EXPECT_EQ(seen.state(), PoolState::inactive);
    pool_.image = system_ / "missing";
    EXPECT_FALSE(view().image);
}

TEST_F(ViewPool, SeesThatTheNumberIsTaken)
{
    system_.put_tree("md100-mirrored.tree", "sys/block/md100");
    pool_.uuid = Uuid::parse("ffffffff-4567-89ef-fedc-ba9876543210");
    const PoolView seen = view();
    EXPECT_TRUE(seen.number_taken);
    EXPECT_FALSE(seen.array);
    EXPECT_FALSE(seen.disk);
    EXPECT_FALSE(seen.ram);
    EXPECT_EQ(seen.state(), PoolState::inactive);
}

TEST_F(ViewPool, AsksTheRamLegWhoseArrayItIsWhereTheKernelShowsNoUuid)
{
    system_.put_tree("md100-ram-only.tree", "sys/block/md100");
    system_.remove("sys/block/md100/md/uuid");
    system_.put("dev/zram0", recorded_leg());
    const PoolView ours = view();
    EXPECT_TRUE(ours.array) << "the superblock in dev/zram0 is the pool's";
    EXPECT_EQ(ours.state(), PoolState::ram_only);
    pool_.uuid = Uuid::parse("ffffffff-4567-89ef-fedc-ba9876543210");
    EXPECT_TRUE(view().number_taken);
}

TEST_F(ViewPool, TakesTheBetterOfALegListedTwice)
{
    system_.put_tree("md100-disk-faulty.tree", "sys/block/md100");
    system_.put_all("sys/block/md100/md/dev-loop3",
                    {{"state", "spare,write_mostly"}, {"slot", "0"}});
    EXPECT_EQ(view().disk->device, "loop3");
    EXPECT_FALSE(view().disk->faulty);
}

TEST_F(ViewPool, SeesAZramOfThePoolOutsideOfItsArray)
{
    system_.put_tree("md100-disk-only.tree", "sys/block/md100");
    system_.put_all("sys/block/zram0", {{"disksize", "67108864"}, {"diskseq", "13"}});
    EXPECT_EQ(view().stray_zram, std::nullopt) << "it is somebody else's";
    RamLegRecord{"zram0", "13", 0}.save(system_.paths, "vm");
    EXPECT_EQ(view().stray_zram, "zram0");
    EXPECT_FALSE(view().stray_is_newer);
    system_.put_tree("md100-mirrored.tree", "sys/block/md100");
    EXPECT_EQ(view().stray_zram, std::nullopt) << "it is a member";
    EXPECT_EQ(view().ram->device, "zram0");
}

TEST_F(ViewPool, SeesThatAZramOutsideOfTheArrayIsNewer)
{
    system_.put_all("sys/block/zram0", {{"disksize", "67108864"}, {"diskseq", "13"}});
    RamLegRecord{"zram0", "13", 0}.save(system_.paths, "vm");
    const auto put_zram = [&](std::uint64_t events, const std::string& uuid = "\x01\x23\xab\xcd") {
        std::string leg = recorded_leg();
        test::patch(leg, test::LegOffset::events, 8, events);
        leg.replace(test::LegOffset::set_uuid, uuid.size(), uuid);
        system_.put("dev/zram0", leg);
    };
    put_zram(35);
    EXPECT_FALSE(view().stray_is_newer);
    put_zram(36);
    EXPECT_FALSE(view().stray_is_newer) << "as old as the image";
    put_zram(37);
    EXPECT_TRUE(view().stray_is_newer);
    put_zram(37, "other");
    EXPECT_FALSE(view().stray_is_newer) << "the array of another pool";
    system_.put("dev/zram0", std::string(8192, '\0'));
    EXPECT_FALSE(view().stray_is_newer) << "fresh";
    put_zram(1);
    system_.put("image", std::string(8192, '\0'));
    EXPECT_TRUE(view().stray_is_newer) << "the image has lost its superblock";
    pool_.image = system_ / "missing";
    EXPECT_TRUE(view().stray_is_newer);
}

} // namespace
} // namespace zraid
