#include "devices/block_device.h"
#include "support/fake_block_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using ::testing::HasSubstr;

class BlockDevice : public ::testing::Test
{
protected:
    BlockDevice()
    {
        test::add_block_device(system_, "sdb");
        test::add_block_device(system_, "sdb/sdb1");
        system_.put("sys/block/sdb/dev", "8:16\n");
        system_.put("sys/block/sdb/sdb1/dev", "8:17\n");
        system_.put("sys/block/sdb/size", "2048\n");
        system_.put("proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
    }

    std::string use() const
    {
        const auto found = use_by_name(system_.paths, "sdb");
        return found ? found->what + ". Next: " + found->next : "none";
    }

    test::FakeSystem system_;
};

TEST_F(BlockDevice, IsFreeWhereNobodyClaimsIt)
{
    EXPECT_EQ(use(), "none");
    system_.put("proc/swaps", "Filename Type Size Used Priority\n/dev/sdb partition 1 0 -2\n");
    EXPECT_EQ(use(), "none") << "that is a device of another folder";
    system_.folder("sys/block/sdb/holders");
    EXPECT_EQ(use(), "none");
}

TEST_F(BlockDevice, IsInUseByAMountOfItOrOfAPartition)
{
    for (const char* number : {"8:16", "8:17"}) {
        system_.put("proc/self/mountinfo",
                    std::string("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 ") + number +
                        " / /srv rw - xfs /dev/x rw\n");
        EXPECT_THAT(use(), HasSubstr("is mounted at '/srv'. Next: umount '/srv'"));
    }
}

TEST_F(BlockDevice, IsInUseAsSwap)
{
    system_.put("proc/swaps", "Filename Type Size Used Priority\n" +
                                  std::string(system_.paths.device("sdb1")) +
                                  "\tpartition\t1\t0\t-2\n");
    EXPECT_THAT(use(), HasSubstr("/dev/sdb1 is swap"));
}

TEST_F(BlockDevice, IsInUseByADeviceOnIt)
{
    system_.folder("sys/block/sdb/sdb1/holders/md127");
    EXPECT_THAT(use(), HasSubstr("/dev/sdb1 is part of /dev/md127. Next: see lsblk"));
}

TEST_F(BlockDevice, HasTheNameAndSizeThatTheKernelHas)
{
    const test::BlockNode node(system_);
    EXPECT_EQ(device_name(system_.paths, node.path()), std::nullopt);
    EXPECT_EQ(device_size(system_.paths, node.path()), 0U);
    test::give_number(system_, node.number(), "sdb");
    EXPECT_EQ(device_name(system_.paths, node.path()), "sdb");
    EXPECT_EQ(device_size(system_.paths, node.path()), 1048576U);
    EXPECT_EQ(device_size(system_.paths, system_.put("file", "content")), 0U);
    EXPECT_EQ(device_size(system_.paths, system_ / "nothing"), 0U);
}

} // namespace
} // namespace zraid
