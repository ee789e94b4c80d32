#include "devices/block_tree.h"
#include "support/failure.h"
#include "support/fake_block_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::add_block_device;
using test::add_slave;
using test::BlockNode;
using test::device_numbers;
using test::failure;
using test::FakeSystem;
using test::give_number;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Arrays below a block device whose node has the number of the named fake device.
std::set<int> arrays_below_device(const FakeSystem& system, const std::string& name)
{
    const BlockNode node(system);
    give_number(system, node.number(), name);
    return arrays_below(system.paths, node.path());
}

TEST(ArraysBelow, FindsTheArrayItself)
{
    const FakeSystem system;
    add_block_device(system, "md100");
    EXPECT_THAT(arrays_below_device(system, "md100"), ElementsAre(100));
}

TEST(ArraysBelow, FindsTheArrayOfAPartition)
{
    const FakeSystem system;
    add_block_device(system, "md100");
    add_block_device(system, "md100/md100p1");
    EXPECT_THAT(arrays_below_device(system, "md100/md100p1"), ElementsAre(100));
}

TEST(ArraysBelow, GoesThroughDeviceMapper)
{
    const FakeSystem system;
    add_block_device(system, "md100");
    add_block_device(system, "md100/md100p3");
    add_block_device(system, "sda");
    add_block_device(system, "dm-0");
    add_block_device(system, "dm-1");
    add_slave(system, "dm-0", "md100/md100p3");
    add_slave(system, "dm-0", "sda");
    add_slave(system, "dm-1", "dm-0");
    EXPECT_THAT(arrays_below_device(system, "dm-1"), ElementsAre(100));
}

TEST(ArraysBelow, FindsAllArraysOfAStack)
{
    const FakeSystem system;
    for (const char* name : {"md100", "md101", "md5", "loop0", "zram0"})
        add_block_device(system, name);
    add_block_device(system, "md100/md100p1");
    add_slave(system, "md5", "md100/md100p1");
    add_slave(system, "md5", "md101");
    add_slave(system, "md100", "loop0");
    add_slave(system, "md100", "zram0");
    EXPECT_THAT(arrays_below_device(system, "md5"), ElementsAre(5, 100, 101));
}

TEST(ArraysBelow, IsEmptyForOtherDevices)
{
    const FakeSystem system;
    add_block_device(system, "sda");
    add_block_device(system, "sda/sda1");
    EXPECT_THAT(arrays_below_device(system, "sda/sda1"), IsEmpty());
    const FakeSystem unknown;
    const BlockNode node(unknown);
    EXPECT_THAT(arrays_below(unknown.paths, node.path()), IsEmpty()) << "gone from sysfs";
    const FakeSystem old_names;
    add_block_device(old_names, "md_d5");
    EXPECT_THAT(arrays_below_device(old_names, "md_d5"), IsEmpty());
}

TEST(ArraysBelow, FollowsLinksToTheNode)
{
    const FakeSystem system;
    const BlockNode node(system);
    add_block_device(system, "md100");
    give_number(system, node.number(), "md100");
    const std::string link = system.link("dev/disk/by-id/vm", node.path());
    EXPECT_THAT(arrays_below(system.paths, link), ElementsAre(100));
}

TEST(ArraysBelow, IgnoresALayerThatGoesMeanwhile)
{
    const FakeSystem system;
    add_block_device(system, "md100");
    add_block_device(system, "dm-0");
    add_slave(system, "dm-0", "md100");
    add_slave(system, "dm-0", "dm-1"); // its folder is gone
    std::set<int> arrays;
    EXPECT_EQ(failure([&] { arrays = arrays_below_device(system, "dm-0"); }), "no error");
    EXPECT_THAT(arrays, ElementsAre(100));
}

TEST(ArraysBelow, GoesDownSixteenLayersAndNoFurther)
{
    for (const int layers : {16, 17}) {
        const FakeSystem system;
        add_block_device(system, "md100");
        std::string lower = "md100";
        for (int i = 0; i < layers; ++i) {
            const std::string upper = fmt::format("dm-{}", i);
            add_block_device(system, upper);
            add_slave(system, upper, lower);
            lower = upper;
        }
        const std::string text = failure(
            [&] { EXPECT_THAT(arrays_below_device(system, lower), ElementsAre(100)) << layers; });
        if (layers == 16)
            EXPECT_EQ(text, "no error");
        else
            EXPECT_THAT(text, HasSubstr("layers of block devices: Too many levels"));
    }
}

TEST(ArraysBelow, EndsInALoopOfLayers)
{
    const FakeSystem system;
    add_block_device(system, "dm-0");
    add_block_device(system, "dm-1");
    add_slave(system, "dm-0", "dm-1");
    add_slave(system, "dm-1", "dm-0");
    EXPECT_THAT(failure([&] { arrays_below_device(system, "dm-0"); }),
                HasSubstr("layers of block devices: Too many levels"));
}

/// Says in every way there is that the file system of a path is mounted from a node.
void mount_from(const FakeSystem& system, const std::string& path, const std::string& source,
                dev_t source_number)
{
    struct stat info = {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0) << path;
    add_block_device(system, "md100");
    add_block_device(system, "md100/md100p2");
    if (gnu_dev_major(info.st_dev) != 0)
        give_number(system, info.st_dev, "md100/md100p2");
    else
        give_number(system, source_number, "md100/md100p2");
    system.put("proc/self/mountinfo", "21 1 0:999 / /sys rw,relatime - sysfs sysfs rw\n"
                                      "22 1 " +
                                          device_numbers(info.st_dev) +
                                          " / /images rw,relatime shared:1 master:2 - btrfs " +
                                          source +
                                          " rw,space_cache\n"
                                          "23 1 0:998 / /run rw - tmpfs tmpfs rw\n");
}

TEST(ArraysBelow, FindsWhatAFileStandsOn)
{
    const FakeSystem system;
    const BlockNode node(system);
    const std::string file = system.put("image", "");
    mount_from(system, file, node.path(), node.number());
    EXPECT_THAT(arrays_below(system.paths, file), ElementsAre(100));
    EXPECT_THAT(arrays_below(system.paths, system.path()), ElementsAre(100)) << "a folder";
}

TEST(ArraysBelow, AsksMountinfoWhereAFileSystemHasNoDeviceNumber)
{
    // The files of procfs say device 0:…, as those of btrfs and overlayfs do.
    const FakeSystem system;
    const BlockNode node(system);
    mount_from(system, "/proc/version", node.path(), node.number());
    EXPECT_THAT(arrays_below(system.paths, "/proc/version"), ElementsAre(100));
}

TEST(ArraysBelow, TakesMountsWithoutADevice)
{
    for (const char* source : {"server:/export", "tmpfs", "none", "/no/such/node", "/etc"}) {
        const FakeSystem system;
        mount_from(system, "/proc/version", source, 0);
        EXPECT_THAT(arrays_below(system.paths, "/proc/version"), IsEmpty()) << source;
    }
    const FakeSystem system;
    system.put("proc/self/mountinfo", "garbage\n\n - \n22 1\n");
    EXPECT_THAT(arrays_below(system.paths, "/proc/version"), IsEmpty());
}

TEST(ArraysBelow, IsEmptyForAMissingPath)
{
    const FakeSystem system;
    const std::string file = system.put("file", "");
    EXPECT_THAT(arrays_below(system.paths, system / "missing"), IsEmpty());
    EXPECT_THAT(arrays_below(system.paths, file + "/below"), IsEmpty());
    EXPECT_THAT(arrays_below(system.paths, "/dev/null"), IsEmpty()) << "a character device";
}

TEST(ArraysBelow, FailsWhereThePathCannotBeKnown)
{
    const FakeSystem system;
    const std::string loop = system.link("loop", "loop");
    EXPECT_EQ(failure([&] { arrays_below(system.paths, loop); }),
              "stat '" + loop + "': Too many levels of symbolic links");
    EXPECT_THROW(arrays_below(system.paths, loop), SystemError);
    EXPECT_EQ(failure([&] { arrays_below(system.paths, "/proc/version"); }),
              "open '" + (system / "proc/self/mountinfo").string() +
                  "': No such file or directory");
}

TEST(MdNumberInPath, TakesArraysAndTheirPartitionsOnly)
{
    struct Case
    {
        const char* path;
        int number;
    };
    Paths paths;
    for (const Case& c : std::vector<Case>{{"/dev/md100", 100},
                                           {"/dev/md0", 0},
                                           {"/dev/md511", 511},
                                           {"/dev/md100p1", 100},
                                           {"/dev/md100p128", 100},
                                           {"/dev/md", -1},
                                           {"/dev/mdp1", -1},
                                           {"/dev/md100p", -1},
                                           {"/dev/md100p1x", -1},
                                           {"/dev/md100x", -1},
                                           {"/dev/md100-p1", -1},
                                           {"/dev/md100/p1", -1},
                                           {"/dev/md-5", -1},
                                           {"/dev/md+5", -1},
                                           {"/dev/md 5", -1},
                                           {"/dev/md/vm", -1},
                                           {"/dev/md99999999999", -1},
                                           {"/dev/sda1", -1},
                                           {"/dev", -1},
                                           {"md100", -1},
                                           {"dev/md100", -1},
                                           {"", -1}})
        EXPECT_EQ(md_number_in_path(paths, c.path), c.number) << c.path;
    paths.dev = "/elsewhere";
    EXPECT_EQ(md_number_in_path(paths, "/elsewhere/md7p2"), 7);
    EXPECT_EQ(md_number_in_path(paths, "/dev/md7"), -1);
}

} // namespace
} // namespace zraid
