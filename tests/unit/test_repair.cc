#include "admin/repair.h"
#include "mirror/claims.h"
#include "mirror/verify.h"
#include "pools/store.h"
#include "support/failure.h"
#include "support/saved_pool.h"
#include "util/files.h"
#include "util/wait.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

/// What a repair does to the kernel is for tests/lab; here: what it would do.
class RepairPool : public test::SavedPool
{
protected:
    std::vector<std::string> dry_run() const { return repair_pool(admin_, "vm", true); }
    std::string file(const std::string& name) const
    {
        return system_ / ("sys/block/md100/md/" + name);
    }
};

TEST_F(RepairPool, HasNothingToDoForAGoodPool)
{
    EXPECT_THAT(dry_run(), IsEmpty()) << "inactive";
    for (const char* recording :
         {"md100-disk-only.tree", "md100-filling.tree", "md100-mirrored.tree"}) {
        put_array(recording);
        EXPECT_THAT(dry_run(), IsEmpty()) << recording;
        EXPECT_THAT(repair_pool(admin_, "vm", false), IsEmpty()) << recording;
    }
}

constexpr const char* kCompare = "compare the disk leg with the RAM leg, once md has copied to it";

TEST_F(RepairPool, TakesBackTheDiskLeg)
{
    put_array("md100-disk-faulty.tree");
    EXPECT_THAT(dry_run(),
                ElementsAre("take the failed disk leg out", "attach the image to a loop device",
                            "give the disk leg back, to copy what it missed", kCompare));
    put_array("md100-ram-only.tree");
    EXPECT_THAT(dry_run(), ElementsAre("attach the image to a loop device",
                                       "give the disk leg back, to copy what it missed", kCompare));
}

TEST_F(RepairPool, TellsOfADiskLegInDoubt)
{
    put_array("md100-mirrored.tree");
    DoubtMark(system_.paths, "vm").set("why");
    EXPECT_THAT(dry_run(), ElementsAre(kCompare));
}

TEST_F(RepairPool, ClearsTheRamLegAway)
{
    put_array("md100-ram-faulty.tree");
    EXPECT_THAT(dry_run(), ElementsAre("drop the RAM leg", "give the RAM leg's memory back"));
}

TEST_F(RepairPool, MakesARamLegWhereThereShouldBeOne)
{
    put_array("md100-ram-faulty.tree");
    Claims(system_.paths, "vm").add({"web", Uuid::random()});
    EXPECT_THAT(dry_run(), ElementsAre("drop the RAM leg", "give the RAM leg's memory back",
                                       "make the RAM leg", "add the RAM leg"));
    Claims(system_.paths, "vm").remove(Claims(system_.paths, "vm").list().at(0).uuid);
    put_array("md100-disk-only.tree");
    EXPECT_THAT(dry_run(), IsEmpty());
    pool_.settings.attach = AttachPolicy::always;
    PoolStore(system_.paths).save(pool_);
    EXPECT_THAT(dry_run(), ElementsAre("make the RAM leg", "add the RAM leg"));
}

TEST_F(RepairPool, NeedsTheImage)
{
    put_array("md100-disk-faulty.tree");
    std::filesystem::remove(pool_.image);
    EXPECT_THAT(failure([&] { dry_run(); }), StartsWith("its image is not there. Next: "));
}

TEST_F(RepairPool, ScrubNeedsTwoLegs)
{
    const auto scrub = [&] { return failure([&] { scrub_pool(admin_, "vm", [](double) {}); }); };
    const std::string next = ": there are no two legs to compare. Next: zraid-pool attach vm && "
                             "zraid-pool wait vm";
    EXPECT_EQ(scrub(), "it is inactive" + next);
    put_array("md100-disk-only.tree");
    EXPECT_EQ(scrub(), "it is disk-only" + next);
    put_array("md100-filling.tree");
    EXPECT_EQ(scrub(), "it is filling" + next);
    put_array("md100-mirrored.tree");
    system_.put("sys/block/md100/md/sync_action", "repair\n");
    EXPECT_EQ(scrub(), "md is busy with 'repair'. Next: try again when it is done");
}

TEST_F(RepairPool, NoCompareWithALegThatFailed)
{
    put_array("md100-disk-faulty.tree");
    DoubtMark(system_.paths, "vm").set("why");
    const std::string why = "the disk leg failed. Next: see the kernel's log, mend what the image "
                            "lies on, then zraid-pool repair; keep the host running until then";
    EXPECT_EQ(failure([&] { verify_disk_leg(admin_, "vm", [](double) {}); }), why);
    EXPECT_THAT(read_file(file("dev-loop0/state")), StartsWith("remove"));
    EXPECT_NE(DoubtMark(system_.paths, "vm").id(), 0U);
}

TEST_F(RepairPool, ScrubStartsACheckAndWaitsForIt)
{
    put_array("md100-mirrored.tree");
    system_.put("sys/block/md100/md/sync_completed", "64512 / 129024\n");
    system_.put("sys/block/md100/md/mismatch_cnt", "0\n");
    std::thread kernel([&] {
        // "check" is written over the first bytes of "idle\n".
        while (read_file(file("sync_action")).substr(0, 5) != "check")
            std::this_thread::sleep_for(Milliseconds{5});
        std::this_thread::sleep_for(Milliseconds{100});
        save_atomically(file("sync_action"), "idle\n", 0644);
    });
    std::vector<double> shown;
    const ScrubResult result =
        scrub_pool(admin_, "vm", [&](double percent) { shown.push_back(percent); });
    kernel.join();
    EXPECT_EQ(result.mismatches, 0U);
    EXPECT_EQ(result.passes, 1);
    EXPECT_THAT(shown, ::testing::Each(50.0));
}

TEST_F(RepairPool, ScrubWaitsUntilTheFillIsPutAway)
{
    put_array("md100-mirrored.tree");
    system_.put("sys/block/md100/md/sync_action", "recover\n");
    system_.put("sys/block/md100/md/mismatch_cnt", "0\n");
    std::thread kernel([&] {
        std::this_thread::sleep_for(Milliseconds{200});
        save_atomically(file("sync_action"), "idle\n", 0644);
        while (read_file(file("sync_action")).substr(0, 5) != "check")
            std::this_thread::sleep_for(Milliseconds{5});
        save_atomically(file("sync_action"), "idle\n", 0644);
    });
    EXPECT_EQ(failure([&] { scrub_pool(admin_, "vm", [](double) {}); }), "no error");
    kernel.join();
}

TEST_F(RepairPool, ScrubCountsOnlyWhatStaysDifferent)
{
    put_array("md100-mirrored.tree");
    system_.put("sys/block/md100/md/mismatch_cnt", "256\n");
    int passes = 0;
    std::atomic<bool> done = false;
    std::thread kernel([&] {
        while (!done) {
            if (read_file(file("sync_action")).substr(0, 5) == "check") {
                ++passes;
                save_atomically(file("sync_action"), "idle\n", 0644);
            }
            std::this_thread::sleep_for(Milliseconds{2});
        }
    });
    const ScrubResult result = scrub_pool(admin_, "vm", [](double) {});
    done = true;
    kernel.join();
    EXPECT_EQ(result.mismatches, 256U * 512);
    EXPECT_EQ(result.passes, 3);
    EXPECT_EQ(passes, 3);
}

} // namespace
} // namespace zraid
