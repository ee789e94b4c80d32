#include "devices/device_names.h"
#include "support/fake_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(IsUnstableName, KnowsTheNamesThatTheKernelGives)
{
    const Paths paths;
    for (const char* name : {"sda", "sdab", "sda3", "vdb", "xvda1", "nvme0n1", "nvme0n1p2",
                             "mmcblk0p1", "dm-0", "dm-12", "loop0", "md127", "md0p1", "zram0",
                             "ram3", "sr0", "block/8:0", "disk/by-diskseq/3"})
        EXPECT_TRUE(is_unstable_name(paths, std::string("/dev/") + name)) << name;
    EXPECT_TRUE(is_unstable_name(paths, "/dev//./sda"));
    EXPECT_TRUE(is_unstable_name(paths, "/dev/disk/../sda"));
    for (const char* name :
         {"nbd0", "nbd0p1", "drbd1", "rbd0", "rbd/pool/image", "vg/lv", "vg/sda", "mapper/vg-lv",
          "md/data", "disk/by-id/wwn-0x5", "disk/by-path/ip-10.0.0.1:3260-iscsi-iqn.x-lun-0",
          "disk/by-partuuid/1", "sd", "sda-x", "nvme0"})
        EXPECT_FALSE(is_unstable_name(paths, std::string("/dev/") + name)) << name;
}

TEST(IsUnstableName, JudgesALinkElsewhereByWhatItLeadsTo)
{
    const test::FakeSystem system;
    system.put("dev/sdb", "");
    system.put("dev/nbd0", "");
    EXPECT_TRUE(
        is_unstable_name(system.paths, system.link("disk", system.path() / "dev/sdb").string()));
    EXPECT_FALSE(
        is_unstable_name(system.paths, system.link("net", system.path() / "dev/nbd0").string()));
    EXPECT_FALSE(is_unstable_name(system.paths, system.path() / "nothing"));
}

TEST(NamesThatStay, LeaveOutWhatFollowsContentOrNumber)
{
    const test::FakeSystem system;
    const std::string device = system.put("dev/sdb", "");
    system.put("dev/sdc", "");
    const auto link = [&](const std::string& name, const char* to) {
        return system.link("dev/" + name, system.path() / "dev" / to).string();
    };
    const std::string id = link("disk/by-id/scsi-1", "sdb");
    const std::string rbd = link("rbd/pool/image", "sdb");
    const std::string lv = link("vg/lv", "sdb");
    link("disk/by-id/scsi-2", "sdc");
    link("disk/by-uuid/1234", "sdb");
    link("disk/by-diskseq/7", "sdb");
    link("block/8:16", "sdb");
    link("zraid/vm", "sdb");
    EXPECT_THAT(stable_names(system.paths, device), ElementsAre(id, rbd, lv));
    EXPECT_THAT(stable_names(system.paths, system.path() / "dev/none"), IsEmpty());
}

TEST(UnitOfPath, IsAsSystemdEscapes)
{
    EXPECT_EQ(unit_of_path("/dev/vg/lv", "device"), "dev-vg-lv.device");
    EXPECT_EQ(unit_of_path("/dev//mapper/vg-my--lv/", "device"),
              R"(dev-mapper-vg\x2dmy\x2d\x2dlv.device)");
    EXPECT_EQ(unit_of_path("/dev/disk/by-path/ip-1.2:3260-iscsi-iqn.a_b", "device"),
              R"(dev-disk-by\x2dpath-ip\x2d1.2:3260\x2discsi\x2diqn.a_b.device)");
    EXPECT_EQ(unit_of_path("/.dev/100%", "device"), R"(\x2edev-100\x25.device)");
}

} // namespace
} // namespace zraid
