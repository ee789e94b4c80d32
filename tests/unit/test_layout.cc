#include "layout/layout.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/pool_definitions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::FakeSystem;
using test::pool_definition;
using ::testing::HasSubstr;

// What the kernel's files tell; what programs do is for tests/lab.
class LayoutTest : public ::testing::Test
{
protected:
    LayoutTest() { system_.put("sys/block/md100/dev", "9:100\n"); }
    LayoutState state(PoolType type) const
    {
        PoolDefinition pool = pool_definition();
        pool.type = type;
        pool.target = type == PoolType::fs ? "/mnt/vm" : "";
        return layout_of(system_.paths, pool)->state();
    }

    FakeSystem system_;
};

TEST_F(LayoutTest, OfADiskPoolHasNoState)
{
    EXPECT_EQ(state(PoolType::disk), LayoutState::none);
}

TEST_F(LayoutTest, OfAnFsPoolIsItsMount)
{
    system_.put("proc/self/mountinfo", "90 22 9:100 / /mnt/other rw - xfs /dev/md100 rw\n");
    EXPECT_EQ(state(PoolType::fs), LayoutState::down);
    system_.put("proc/self/mountinfo", "90 22 9:101 / /mnt/vm rw - xfs /dev/md101 rw\n");
    EXPECT_EQ(state(PoolType::fs), LayoutState::down);
    system_.put("proc/self/mountinfo", "90 22 9:100 / /mnt/vm rw - xfs /dev/md100 rw\n");
    EXPECT_EQ(state(PoolType::fs), LayoutState::up);
}

TEST_F(LayoutTest, OfALogicalPoolAreItsDevices)
{
    EXPECT_EQ(state(PoolType::logical), LayoutState::idle);
    system_.folder("sys/block/md100/holders/dm-1");
    system_.put("sys/block/dm-1/dm/name", "vm-web\n");
    EXPECT_EQ(state(PoolType::logical), LayoutState::up);
    system_.put("run/layouts/vm", "");
    EXPECT_EQ(state(PoolType::logical), LayoutState::partly);
}

TEST_F(LayoutTest, IsNotMountedOverFiles)
{
    PoolDefinition pool = pool_definition();
    pool.type = PoolType::fs;
    pool.target = system_ / "mnt";
    EXPECT_EQ(failure([&] { refuse_taken_layout(system_.paths, pool); }), "no error");
    system_.folder("mnt");
    EXPECT_EQ(failure([&] { refuse_taken_layout(system_.paths, pool); }), "no error");
    system_.put("mnt/file", "");
    EXPECT_THAT(failure([&] { refuse_taken_layout(system_.paths, pool); }),
                HasSubstr("is not empty"));
    pool.target = system_ / "mnt/file";
    EXPECT_THAT(failure([&] { refuse_taken_layout(system_.paths, pool); }),
                HasSubstr("is no folder"));
}

} // namespace
} // namespace zraid
