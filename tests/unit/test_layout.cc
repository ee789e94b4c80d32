#include "layout/layout.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/pool_definitions.h"
#include "util/size.h"

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
    pool.size = GiB;
    pool.target = system_ / "mnt";
    EXPECT_EQ(failure([&] { layout_of(system_.paths, pool)->refuse_taken(); }), "no error");
    system_.folder("mnt");
    EXPECT_EQ(failure([&] { layout_of(system_.paths, pool)->refuse_taken(); }), "no error");
    system_.put("mnt/file", "");
    EXPECT_THAT(failure([&] { layout_of(system_.paths, pool)->refuse_taken(); }),
                HasSubstr("is not empty"));
    pool.target = system_ / "mnt/file";
    EXPECT_THAT(failure([&] { layout_of(system_.paths, pool)->refuse_taken(); }),
                HasSubstr("is no folder"));
}

TEST_F(LayoutTest, NeedsRoom)
{
    PoolDefinition pool = pool_definition();
    pool.type = PoolType::fs;
    pool.target = system_ / "mnt";
    pool.size = 301 * MiB;
    EXPECT_EQ(failure([&] { layout_of(system_.paths, pool)->refuse_taken(); }),
              "301 MiB is too small for a pool of type fs. Next: give at least 302 MiB: mkfs.xfs "
              "makes nothing smaller");
    pool.size = 302 * MiB;
    EXPECT_EQ(failure([&] { layout_of(system_.paths, pool)->refuse_taken(); }), "no error");
}

TEST(LayoutTraits, SayWhatAdministratorsMeet)
{
    EXPECT_EQ(layout_traits(PoolType::disk).what, "partition table");
    EXPECT_EQ(layout_traits(PoolType::logical).what, "volume group");
    EXPECT_EQ(layout_traits(PoolType::fs).what, "file system");
    for (const PoolType type : {PoolType::disk, PoolType::logical, PoolType::fs, PoolType::whole}) {
        const LayoutTraits traits = layout_traits(type);
        EXPECT_EQ(traits.has_volumes, type != PoolType::whole);
        EXPECT_EQ(traits.has_files, type == PoolType::fs);
        EXPECT_EQ(traits.may_be_guests, type == PoolType::disk || type == PoolType::whole);
        EXPECT_EQ(traits.needs_lvm_of_host, type == PoolType::logical);
        EXPECT_EQ(has_target(type), type == PoolType::fs);
    }
}

} // namespace
} // namespace zraid
