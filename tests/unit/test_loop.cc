#include "devices/loop.h"
#include "support/fake_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::FakeSystem;
using ::testing::IsEmpty;

Loop leg_loop()
{
    Loop loop;
    loop.name = "loop0";
    loop.sector_size = kSectorSize;
    return loop;
}

TEST(LoopTest, FitsALegOnlyAsWeMakeIt)
{
    EXPECT_TRUE(leg_loop().fits_a_leg());
    Loop loop = leg_loop();
    loop.offset = 4096;
    EXPECT_FALSE(loop.fits_a_leg());
    loop = leg_loop();
    loop.size_limit = 4096;
    EXPECT_FALSE(loop.fits_a_leg());
    loop = leg_loop();
    loop.read_only = true;
    EXPECT_FALSE(loop.fits_a_leg());
    for (const unsigned size : {512U, 1024U, 8192U}) {
        loop = leg_loop();
        loop.sector_size = size;
        EXPECT_FALSE(loop.fits_a_leg()) << size;
    }
    EXPECT_FALSE(Loop().fits_a_leg());
}

// What LOOP_GET_STATUS64 tells needs a kernel: tests/lab.
TEST(ListLoops, LeavesOutWhatIsNotAttached)
{
    const FakeSystem system;
    system.put("sys/block/loop0/size", "0\n"); // no loop/backing_file
    system.put("sys/block/sda/size", "1\n");
    system.put("sys/block/loop1/loop/backing_file", "/x.img\n"); // its node is gone already
    EXPECT_THAT(list_loops(system.paths), IsEmpty());
    EXPECT_THAT(loops_of(system.paths, FileId{1, 2}), IsEmpty());
}

} // namespace
} // namespace zraid
