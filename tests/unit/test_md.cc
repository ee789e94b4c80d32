#include "devices/md.h"
#include "support/failure.h"
#include "support/fake_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::FakeSystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const Uuid kArrayUuid = Uuid::parse("0123abcd-4567-89ef-fedc-ba9876543210");
constexpr const char* kFolder = "sys/block/md100";

TEST(ReadMd, ReadsAMirroredArray)
{
    const FakeSystem system;
    system.put_tree("md100-mirrored.tree", kFolder);
    const auto array = read_md(system.paths, 100);
    ASSERT_TRUE(array);
    EXPECT_EQ(array->number, 100);
    EXPECT_EQ(array->name(), "md100");
    EXPECT_EQ(array->array_state, "clean");
    EXPECT_EQ(array->sync_action, "idle");
    EXPECT_EQ(array->uuid, kArrayUuid);
    EXPECT_EQ(array->size, 129024U * 512);
    EXPECT_EQ(array->sync_total, 0U);
    EXPECT_EQ(array->sync_speed, 0U);
    ASSERT_EQ(array->members.size(), 2U);

    const MdMember* disk = array->member("loop0");
    ASSERT_TRUE(disk);
    EXPECT_THAT(disk->flags, UnorderedElementsAre("in_sync", "write_mostly"));
    EXPECT_EQ(disk->slot, 0);
    EXPECT_EQ(disk->data_offset, std::uint64_t{1} << 20U);
    EXPECT_TRUE(disk->in_sync());
    EXPECT_FALSE(disk->faulty());
    const MdMember* ram = array->member("zram0");
    ASSERT_TRUE(ram);
    EXPECT_EQ(ram->slot, 1);
    EXPECT_TRUE(ram->in_sync());
    EXPECT_EQ(array->member("zram1"), nullptr);
    EXPECT_EQ(array->member("loop"), nullptr);
}

TEST(ReadMd, ReadsTheProgressOfAFill)
{
    const FakeSystem system;
    system.put_tree("md100-filling.tree", kFolder);
    const auto array = read_md(system.paths, 100);
    ASSERT_TRUE(array);
    EXPECT_EQ(array->sync_action, "recover");
    EXPECT_EQ(array->sync_done, 2816U);
    EXPECT_EQ(array->sync_total, 129024U);
    EXPECT_EQ(array->sync_speed, 113U);
    const MdMember* ram = array->member("zram0");
    ASSERT_TRUE(ram);
    EXPECT_THAT(ram->flags, UnorderedElementsAre("spare"));
    EXPECT_EQ(ram->slot, 1);
    EXPECT_FALSE(ram->in_sync());
    EXPECT_FALSE(ram->faulty());
}

TEST(ReadMd, ReadsAFailedMember)
{
    const FakeSystem system;
    system.put_tree("md100-disk-faulty.tree", kFolder);
    const auto array = read_md(system.paths, 100);
    ASSERT_TRUE(array);
    const MdMember* disk = array->member("loop0");
    ASSERT_TRUE(disk);
    EXPECT_TRUE(disk->faulty());
    EXPECT_FALSE(disk->in_sync());
    EXPECT_EQ(disk->slot, std::nullopt) << "its slot is \"none\"";
    EXPECT_TRUE(array->member("zram0")->in_sync());
}

TEST(ReadMd, ReadsDegradedArrays)
{
    for (const auto& [recording, member] :
         {std::pair{"md100-disk-only.tree", "loop0"}, {"md100-ram-only.tree", "zram0"}}) {
        const FakeSystem system;
        system.put_tree(recording, kFolder);
        const auto array = read_md(system.paths, 100);
        ASSERT_TRUE(array) << recording;
        ASSERT_EQ(array->members.size(), 1U) << recording;
        EXPECT_EQ(array->members[0].device, member);
        EXPECT_TRUE(array->members[0].in_sync()) << recording;
    }
}

TEST(ReadMd, IsNotInSyncWhileFaulty)
{
    const MdMember member{"loop0", {"in_sync", "faulty"}, 0, {}};
    EXPECT_FALSE(member.in_sync());
    EXPECT_TRUE(member.faulty());
}

TEST(ReadMd, ReadsEveryFormOfProgress)
{
    struct Case
    {
        const char* text;
        std::uint64_t done;
        std::uint64_t total;
    };
    for (const Case& c : std::vector<Case>{{"123 / 456", 123, 456},
                                           {"0 / 129024", 0, 129024},
                                           {"34359736320 / 34359738368", 34359736320, 34359738368},
                                           {"none", 0, 0},
                                           {"delayed", 0, 0},
                                           {"123", 0, 0},
                                           {"123 / ", 0, 0},
                                           {"123 of 456", 0, 0},
                                           {"", 0, 0}}) {
        const FakeSystem system;
        system.put_tree("md100-filling.tree", kFolder);
        system.put_all(kFolder, {{"md/sync_completed", c.text}});
        const auto array = read_md(system.paths, 100);
        ASSERT_TRUE(array) << c.text;
        EXPECT_EQ(array->sync_done, c.done) << c.text;
        EXPECT_EQ(array->sync_total, c.total) << c.text;
    }
}

TEST(ReadMd, IsNothingWhereThereIsNoArray)
{
    const FakeSystem system;
    EXPECT_EQ(failure([&] { EXPECT_FALSE(read_md(system.paths, 100)); }), "no error");
    system.folder("sys/block/md100");
    EXPECT_FALSE(read_md(system.paths, 100)) << "a folder without md";
    system.put_all("sys/block/md100/md", {{"array_state", "clear"}, {"level", ""}});
    EXPECT_FALSE(read_md(system.paths, 100)) << "the shell of a stopped array";
}

TEST(ReadMd, TakesAnInactiveArrayForOne)
{
    const FakeSystem system;
    system.put_all("sys/block/md100", {{"size", "0"},
                                       {"md/array_state", "inactive"},
                                       {"md/dev-loop0/state", "spare"},
                                       {"md/dev-loop0/slot", "none"}});
    const auto array = read_md(system.paths, 100);
    ASSERT_TRUE(array);
    EXPECT_EQ(array->array_state, "inactive");
    EXPECT_EQ(array->sync_action, "") << "raid1's attributes are not there yet";
    EXPECT_EQ(array->members.size(), 1U);
}

TEST(ReadMd, LeavesOutAMemberThatGoesMeanwhile)
{
    for (const char* missing : {"state", "slot"}) {
        const FakeSystem system;
        system.put_tree("md100-mirrored.tree", kFolder);
        system.remove(std::string(kFolder) + "/md/dev-zram0/" + missing);
        const auto array = read_md(system.paths, 100);
        ASSERT_TRUE(array);
        EXPECT_EQ(array->member("zram0"), nullptr) << missing;
        EXPECT_NE(array->member("loop0"), nullptr);
    }
}

TEST(ReadMd, KeepsWordsThatItDoesNotKnow)
{
    const FakeSystem system;
    system.put_tree("md100-mirrored.tree", kFolder);
    system.put_all(std::string(kFolder) + "/md",
                   {{"array_state", "sleeping"},
                    {"sync_action", "polish"},
                    {"dev-loop0/state", "in_sync,write_mostly,sparkling"},
                    {"dev-zram0/state", "blocked"}});
    const auto array = read_md(system.paths, 100);
    ASSERT_TRUE(array);
    EXPECT_EQ(array->array_state, "sleeping");
    EXPECT_EQ(array->sync_action, "polish");
    EXPECT_TRUE(array->member("loop0")->in_sync());
    EXPECT_THAT(array->member("loop0")->flags,
                UnorderedElementsAre("in_sync", "write_mostly", "sparkling"));
    EXPECT_FALSE(array->member("zram0")->in_sync());
}

TEST(ReadMd, ReadsKernelsThatShowNoUuid)
{
    for (const bool empty : {false, true}) {
        const FakeSystem system;
        system.put_tree("md100-mirrored.tree", kFolder);
        system.remove("sys/block/md100/md/uuid");
        if (empty)
            system.put("sys/block/md100/md/uuid", "\n");
        const auto array = read_md(system.paths, 100);
        ASSERT_TRUE(array);
        EXPECT_EQ(array->uuid, std::nullopt);
        EXPECT_EQ(array->members.size(), 2U);
    }
}

TEST(ReadMd, FailsWhereTheKernelCannotBeRead)
{
    const FakeSystem system;
    system.folder("sys/block/md100/md/array_state");
    EXPECT_EQ(failure([&] { read_md(system.paths, 100); }),
              "read '" + (system / "sys/block/md100/md/array_state").string() +
                  "': Is a directory");
}

TEST(ListMd, ListsArraysByNumber)
{
    const FakeSystem system;
    system.put_tree("md100-mirrored.tree", "sys/block/md100");
    system.put_tree("md100-disk-only.tree", "sys/block/md127");
    system.put_all("sys/block/md5/md", {{"array_state", "clear"}});
    for (const char* other : {"sda", "loop0", "zram0", "md", "md_d0", "md-1", "mdx", "dm-0"})
        system.folder("sys/block/" + std::string(other));
    EXPECT_THAT(list_md(system.paths), UnorderedElementsAre(100, 127));
    const FakeSystem empty;
    EXPECT_THAT(list_md(empty.paths), IsEmpty());
}

TEST(MdHolding, AsksTheHolders)
{
    const FakeSystem system;
    system.link("sys/block/loop0/holders/md127", "../../md127");
    system.link("sys/block/loop1/holders/dm-3", "../../dm-3");
    system.folder("sys/block/loop2/holders");
    EXPECT_EQ(md_holding(system.paths, "loop0"), 127);
    EXPECT_EQ(md_holding(system.paths, "loop1"), std::nullopt);
    EXPECT_EQ(md_holding(system.paths, "loop2"), std::nullopt);
    EXPECT_EQ(md_holding(system.paths, "loop3"), std::nullopt);
}

TEST(WriteMd, WritesAnAttribute)
{
    const FakeSystem system;
    system.put("sys/block/md100/md/sync_speed_max", "");
    write_md(system.paths, 100, "sync_speed_max", "8388608");
    EXPECT_EQ(read_file(system / "sys/block/md100/md/sync_speed_max"), "8388608");
    EXPECT_EQ(failure([&] { write_md(system.paths, 101, "sync_speed_max", "1"); }),
              "open '" + (system / "sys/block/md101/md/sync_speed_max").string() +
                  "': No such file or directory");
}

} // namespace
} // namespace zraid
