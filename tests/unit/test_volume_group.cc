#include "devices/volume_group.h"
#include "support/fake_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::FakeSystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(MapperName, ComesBackAsTheVolume)
{
    for (const char* group : {"vg", "a-b", "a--b", "a-", "x.y_z+1"}) {
        for (const char* volume : {"lv", "root-1", "a--b", "x-"})
            EXPECT_EQ(volume_in_mapper_name(group, mapper_name(group, volume)), volume);
    }
    EXPECT_EQ(mapper_name("a-b", "c-d"), "a--b-c--d");
}

TEST(MapperName, IsOfOneGroupOnly)
{
    EXPECT_EQ(volume_in_mapper_name("a", "a--b-c"), std::nullopt);
    EXPECT_EQ(volume_in_mapper_name("a-b", "a-b--c"), std::nullopt);
    EXPECT_EQ(volume_in_mapper_name("a", "a-b-c"), std::nullopt);
    EXPECT_EQ(volume_in_mapper_name("a", "a-"), std::nullopt);
    EXPECT_EQ(volume_in_mapper_name("a", "a"), std::nullopt);
    EXPECT_EQ(volume_in_mapper_name("a", "ab-c"), std::nullopt);
}

TEST(ActiveVolumes, AreThoseThatLieOnTheDevice)
{
    const FakeSystem system;
    EXPECT_THAT(active_volumes(system.paths, "md100", "vm"), IsEmpty());
    system.folder("sys/block/md100/holders/dm-1");
    system.folder("sys/block/md100/holders/dm-2");
    system.folder("sys/block/md100/holders/dm-3");
    system.put("sys/block/dm-1/dm/name", "vm-web--root\n");
    system.put("sys/block/dm-2/dm/name", "other-web\n");
    system.put("sys/block/dm-4/dm/name", "vm-elsewhere\n");
    EXPECT_THAT(active_volumes(system.paths, "md100", "vm"), ElementsAre("web-root"));
}

} // namespace
} // namespace zraid
