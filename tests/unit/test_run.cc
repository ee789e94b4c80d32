#include "admin/run.h"
#include "mirror/claims.h"
#include "support/failure.h"
#include "support/log_capture.h"
#include "support/saved_pool.h"
#include "support/test_driver.h"
#include "util/files.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::LogCapture;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// A pool "vm" that is not registered with libvirt; what needs a kernel is for tests/lab.
class RunPool : public test::SavedPool
{
protected:
    std::string wait(std::optional<Milliseconds> limit)
    {
        return failure([&] {
            wait_pool(admin_, "vm", limit, [&](const FillProgress& fill) {
                ++shown_;
                percent_ = fill.percent();
            });
        });
    }

    int shown_ = 0;
    double percent_ = -1;
};

TEST_F(RunPool, WaitsNoLongerThanAskedFor)
{
    put_array("md100-filling.tree");
    EXPECT_EQ(wait(Milliseconds{3000}), "still filling after 3 s, 2.2 % done. Next: give it more "
                                        "time; it goes on by itself");
    EXPECT_GE(shown_, 2) << "twice a second";
    EXPECT_NEAR(percent_, 2.18, 0.01);
}

TEST_F(RunPool, WaitsUntilItIsMirrored)
{
    put_array("md100-mirrored.tree");
    EXPECT_EQ(wait(Milliseconds{0}), "no error");
    put_array("md100-filling.tree");
    std::thread kernel([&] {
        std::this_thread::sleep_for(Milliseconds{200});
        // As sysfs does it: from one moment to the next.
        save_atomically(system_ / "sys/block/md100/md/dev-zram0/state", "in_sync\n", 0644);
    });
    EXPECT_EQ(wait(std::nullopt), "no error");
    kernel.join();
}

TEST_F(RunPool, DoesNotWaitForWhatCannotCome)
{
    EXPECT_EQ(wait(std::nullopt),
              "it is inactive: there is no RAM leg that fills. Next: zraid-pool start vm");
    put_array("md100-disk-only.tree");
    EXPECT_EQ(wait(std::nullopt),
              "it is disk-only: there is no RAM leg that fills. Next: zraid-pool attach vm");
    put_array("md100-ram-only.tree");
    EXPECT_EQ(
        wait(std::nullopt),
        "it is ram-only: there is no RAM leg that fills. Next: bring the image's device back, "
        "then zraid-pool repair vm");
    system_.put("sys/block/md100/md/dev-zram0/state", "spare\n");
    EXPECT_EQ(wait(std::nullopt), "it is failed: there is no RAM leg that fills. Next: see "
                                  "/proc/mdstat and the kernel's log");
}

TEST_F(RunPool, AttachesNothingToAnArrayThatIsNotThere)
{
    EXPECT_EQ(failure([&] { attach_pool(admin_, "vm"); }),
              "its array is not there. Next: zraid-pool start vm");
}

TEST_F(RunPool, IsDoneWhereNothingIsToDo)
{
    EXPECT_EQ(failure([&] { detach_pool(admin_, "vm"); }), "no error");
    EXPECT_EQ(failure([&] { stop_pool(admin_, "vm"); }), "no error");
    put_array("md100-disk-only.tree");
    EXPECT_EQ(failure([&] { detach_pool(admin_, "vm"); }), "no error");
    EXPECT_EQ(failure([&] { start_pool(admin_, "vm"); }), "no error");
    put_array("md100-mirrored.tree");
    EXPECT_EQ(failure([&] { attach_pool(admin_, "vm"); }), "no error");
}

TEST_F(RunPool, KeepsTheOnlyGoodCopy)
{
    put_array("md100-disk-faulty.tree");
    for (const auto& command : {&detach_pool, &stop_pool})
        EXPECT_THAT(failure([&] { command(admin_, "vm"); }),
                    HasSubstr("the disk leg is not in sync: the RAM leg holds the only good copy. "
                              "Next: "));
}

TEST_F(RunPool, DoesNotStopUnderItsUsers)
{
    put_array("md100-disk-only.tree");
    Claims(system_.paths, "vm").add({"test", Uuid::parse(test::kTestDomain)});
    EXPECT_EQ(failure([&] { stop_pool(admin_, "vm"); }),
              "it is used by 'test'. Next: shut the domains down first");
}

TEST_F(RunPool, SaysWhyItCannotStart)
{
    std::filesystem::remove(pool_.image);
    EXPECT_EQ(failure([&] { start_pool(admin_, "vm"); }),
              "its image is not there. Next: bring back the file, or mount what it lies on");
}

TEST_F(RunPool, StartsWithoutARamLegThatCannotBeHad)
{
    const LogCapture log;
    put_array("md100-disk-only.tree");
    system_.put("sys/class/zram-control/hot_add", "0\n");
    system_.put("proc/meminfo", "MemTotal: 1024 kB\nMemAvailable: 1024 kB\n");
    pool_.settings.attach = AttachPolicy::always;
    save();
    EXPECT_EQ(failure([&] { start_pool(admin_, "vm"); }), "no error");
    EXPECT_THAT(log.lines(),
                ElementsAre(StartsWith("warning: pool 'vm' runs from its disk leg alone: ")));
}

TEST_F(RunPool, SaysThatOnlyTheStoragePoolIsMissing)
{
    put_array("md100-disk-only.tree");
    pool_.settings.libvirt = true;
    save();
    admin_.uri = test::kNoDriver;
    EXPECT_THAT(failure([&] { start_pool(admin_, "vm"); }),
                StartsWith("'/dev/md100' is up, but its storage pool is not: libvirt: connect to"));
}

TEST_F(RunPool, LeavesLibvirtAloneWhereOnlyTheArrayIsMeant)
{
    put_array("md100-disk-only.tree");
    pool_.settings.libvirt = true;
    save();
    admin_.uri = test::kNoDriver;
    EXPECT_EQ(failure([&] { start_array_of(admin_, "vm"); }), "no error");
    Claims(system_.paths, "vm").add({"test", Uuid::parse(test::kTestDomain)});
    EXPECT_EQ(failure([&] { stop_array_of(admin_, "vm"); }),
              "it is used by 'test'. Next: shut the domains down first");
}

TEST_F(RunPool, StartsTheStoragePool)
{
    const LibvirtConnection libvirt(test::kTestDriver);
    put_array("md100-disk-only.tree");
    pool_.settings.libvirt = true;
    pool_.settings.autostart = false;
    save();
    start_pool(admin_, "vm");
    ASSERT_TRUE(libvirt.find_pool("vm"));
    EXPECT_TRUE(libvirt.find_pool("vm")->active);
}

TEST_F(RunPool, StartsTheStoragePoolAgainWhenItCannotStop)
{
    const LibvirtConnection libvirt(test::kTestDriver);
    put_array("md100-disk-only.tree");
    pool_.settings.libvirt = true;
    pool_.settings.autostart = false;
    save();
    start_pool(admin_, "vm");
    put_array("md100-disk-faulty.tree");
    EXPECT_THAT(failure([&] { stop_pool(admin_, "vm"); }), HasSubstr("the only good copy"));
    EXPECT_TRUE(libvirt.find_pool("vm")->active);
}

} // namespace
} // namespace zraid
