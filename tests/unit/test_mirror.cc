#include "devices/zram.h"
#include "mirror/mirror.h"
#include "mirror/ram_leg.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/log_capture.h"
#include "support/pool_definitions.h"
#include "support/recorded_leg.h"
#include "support/resource_limit.h"
#include "util/files.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace zraid {
namespace {

using test::failure;
using test::FakeSystem;
using test::LogCapture;
using test::pool_definition;
using test::recorded_leg;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// As far as it goes without a kernel: a fake /dev/loop-control refuses, and mdadm finds no arrays.
class MirrorTest : public ::testing::Test
{
protected:
    MirrorTest()
    {
        pool_.image = system_.put("vm.img", recorded_leg());
        system_.put("dev/loop-control", "");
        system_.folder("sys/module/raid1");
    }
    Mirror mirror() const { return {system_.paths, pool_, lock_}; }

    FakeSystem system_;
    PoolDefinition pool_ = pool_definition();
    FileLock lock_ = lock_pool(system_.paths, "vm");
};

TEST_F(MirrorTest, IsLockedByPool)
{
    EXPECT_THAT(failure([&] { lock_pool(system_.paths, "vm", Milliseconds{10}); }),
                AllOf(StartsWith("lock '" + (system_ / "run/locks/vm").string() + "': still held"),
                      HasSubstr(std::to_string(::getpid()) + " unit_tests")));
    EXPECT_EQ(failure([&] { lock_pool(system_.paths, "other", Milliseconds{10}); }), "no error");
}

TEST_F(MirrorTest, CreatesNothingOverAnotherArray)
{
    pool_.uuid = Uuid::parse("ffffffff-4567-89ef-fedc-ba9876543210");
    EXPECT_EQ(failure([&] { mirror().create(); }),
              "image '" + pool_.image +
                  "' holds another array, 'zraid:vm' 0123abcd-4567-89ef-fedc-ba9876543210. Next: "
                  "correct the image's path in the definition");
}

TEST_F(MirrorTest, TellsTheStepThatFailed)
{
    std::filesystem::resize_file(pool_.image, pool_.size);
    const std::string text = "attach the image to a loop device: find a free loop device: "
                             "Inappropriate ioctl for device";
    EXPECT_EQ(failure([&] { mirror().assemble(); }), text);
    EXPECT_EQ(failure([&] { mirror().attach(); }), text);
    EXPECT_EQ(failure([&] { mirror().create(); }), text) << "it holds this pool's array";
}

TEST_F(MirrorTest, RefusesInTheWordsOfThePlan)
{
    std::filesystem::remove(pool_.image);
    EXPECT_EQ(failure([&] { mirror().assemble(); }),
              "its image is not there. Next: bring back the file, or mount what it lies on");
    EXPECT_EQ(failure([&] { mirror().create(); }),
              "its image is not there. Next: bring back the file, or mount what it lies on");
    system_.put_tree("md100-disk-faulty.tree", "sys/block/md100");
    EXPECT_THAT(failure([&] { mirror().detach(); }), HasSubstr("the only good copy"));
    EXPECT_THAT(failure([&] { mirror().stop(); }), HasSubstr("the only good copy"));
}

TEST_F(MirrorTest, KeepsTheRamLegThatItCannotDrop)
{
    system_.put_tree("md100-mirrored.tree", "sys/block/md100");
    system_.put_all("sys/block/zram0",
                    {{"disksize", "67108864"}, {"diskseq", "13"}, {"reset", ""}});
    RamLegRecord{"zram0", "13", 0}.save(system_.paths, "vm");
    system_.put("dev/md100", "");
    system_.put("dev/loop0", "");
    {
        const test::FileSizeLimit limit(0);
        EXPECT_THAT(failure([&] { mirror().detach(); }),
                    StartsWith("drop the RAM leg: write 'faulty' to '"));
    }
    EXPECT_EQ(read_file(system_ / "sys/block/zram0/reset"), "\n");
    EXPECT_EQ(RamLegRecord::device_of(system_.paths, "vm"), "zram0");
}

TEST_F(MirrorTest, DropsNothingThatItCannotFlush)
{
    system_.put_tree("md100-mirrored.tree", "sys/block/md100");
    EXPECT_EQ(failure([&] { mirror().detach(); }), "drop the RAM leg: open '" +
                                                       (system_ / "dev/md100").string() +
                                                       "': No such file or directory");
}

TEST_F(MirrorTest, SaysWhatToDoWhereTheArrayIsInUse)
{
    system_.put_tree("md100-disk-only.tree", "sys/block/md100");
    EXPECT_THAT(
        failure([&] { mirror().stop(); }),
        AllOf(StartsWith("stop the array: stop /dev/md100: run 'mdadm --stop"),
              HasSubstr("Next: close what uses it (lsblk /dev/md100, fuser -v /dev/md100*), "
                        "then try again")));
}

TEST_F(MirrorTest, NotesWhyThereIsNoRamLeg)
{
    const LogCapture log;
    system_.put_tree("md100-disk-only.tree", "sys/block/md100");
    system_.put("sys/class/zram-control/hot_add", "0\n");
    system_.put("proc/meminfo", "MemTotal: 1024 kB\nMemAvailable: 1024 kB\n");
    EXPECT_EQ(attach_problem(system_.paths, "vm"), "");
    Mirror vm = mirror();
    attach_if_possible(system_.paths, vm, "vm");
    EXPECT_THAT(attach_problem(system_.paths, "vm"),
                StartsWith("make the RAM leg: the RAM leg may need 64.4 MiB"));
    EXPECT_EQ(attach_problem(system_.paths, "other"), "");
    EXPECT_THAT(log.lines(), ElementsAre("warning: pool 'vm' runs from its disk leg alone: " +
                                         attach_problem(system_.paths, "vm")));
    vm.detach();
    EXPECT_EQ(attach_problem(system_.paths, "vm"), "") << "none is wanted any more";
    attach_if_possible(system_.paths, vm, "vm");
    EXPECT_NE(attach_problem(system_.paths, "vm"), "");
    system_.put_tree("md100-mirrored.tree", "sys/block/md100");
    attach_if_possible(system_.paths, vm, "vm");
    EXPECT_EQ(attach_problem(system_.paths, "vm"), "") << "there is one";
}

TEST_F(MirrorTest, LogsWhatWasDone)
{
    const LogCapture log(LogLevel::info);
    system_.put_all("sys/block/zram0",
                    {{"disksize", "67108864"}, {"diskseq", "13"}, {"reset", ""}});
    system_.put("dev/zram0", "");
    system_.put("sys/class/zram-control/hot_remove", "");
    RamLegRecord{"zram0", "13", 0}.save(system_.paths, "vm");
    mirror().detach();
    EXPECT_THAT(log.lines(), ElementsAre("info: pool 'vm': done: give the RAM leg's memory back"));
}

TEST_F(MirrorTest, DoesNothingInTheGoal)
{
    system_.put_tree("md100-mirrored.tree", "sys/block/md100");
    EXPECT_EQ(failure([&] { mirror().assemble(); }), "no error");
    EXPECT_EQ(failure([&] { mirror().attach(); }), "no error");
    EXPECT_EQ(failure([&] { mirror().repair(); }), "no error");
    system_.remove("sys/block/md100");
    EXPECT_EQ(failure([&] { mirror().detach(); }), "no error");
    EXPECT_EQ(failure([&] { mirror().stop(); }), "no error");
}

} // namespace
} // namespace zraid
