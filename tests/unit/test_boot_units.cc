#include "admin/boot_units.h"
#include "pools/store.h"
#include "support/fake_system.h"
#include "support/pool_definitions.h"
#include "util/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

namespace fs = std::filesystem;
using test::pool_definition;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class BootUnits : public ::testing::Test
{
protected:
    void define(const std::string& name, const std::string& image, bool autostart, int md)
    {
        PoolDefinition pool = pool_definition(name);
        pool.image = image;
        pool.settings.autostart = autostart;
        pool.md_number = md;
        PoolStore(system_.paths).save(pool);
    }
    std::vector<std::string> write() { return write_boot_units(system_.paths, folder_, "/units"); }

    test::FakeSystem system_;
    fs::path folder_ = system_.path() / "generator";
};

TEST_F(BootUnits, HasOneForEachPoolThatStartsWithTheHost)
{
    define("mail", "/srv/nfs/mail.img", true, 100);
    define("tried", "/srv/tried.img", false, 101);
    for (int again = 0; again < 2; ++again) {
        EXPECT_THAT(write(), IsEmpty());
        EXPECT_EQ(fs::read_symlink(folder_ / "multi-user.target.wants/zraid-pool@mail.service"),
                  "/units/zraid-pool@.service");
        EXPECT_EQ(read_file(folder_ / "zraid-pool@mail.service.d/image.conf"),
                  "[Unit]\nRequiresMountsFor=\"/srv/nfs/mail.img\"\n");
        EXPECT_FALSE(fs::exists(folder_ / "zraid-pool@tried.service.d"));
        EXPECT_FALSE(fs::is_symlink(folder_ / "multi-user.target.wants/zraid-pool@tried.service"));
        EXPECT_EQ(read_file(folder_ / "zraid-pools.service.d/images.conf"),
                  "[Unit]\nAfter=srv-nfs.mount\nAfter=srv.mount\n");
    }
}

TEST_F(BootUnits, WaitForADeviceButNotForLong)
{
    PoolDefinition pool = pool_definition("san");
    pool.image = "/dev/vg/my-lv";
    pool.image_kind = ImageKind::block;
    PoolStore(system_.paths).save(pool);
    EXPECT_THAT(write(), IsEmpty());
    EXPECT_EQ(read_file(folder_ / "zraid-pool@san.service.d/image.conf"),
              "[Unit]\nWants=dev-vg-my\\x2dlv.device\n"
              "After=dev-vg-my\\x2dlv.device remote-fs-pre.target\n");
    EXPECT_EQ(read_file(folder_ / "dev-vg-my\\x2dlv.device.d/zraid.conf"),
              "[Unit]\nJobRunningTimeoutSec=30s\n");
}

TEST_F(BootUnits, WritesNothingWithoutPools)
{
    EXPECT_THAT(write(), IsEmpty());
    EXPECT_FALSE(fs::exists(folder_));
}

TEST_F(BootUnits, KeepsWhatSystemdWouldRead)
{
    define("odd", R"(/srv/100% "my" images\a.img)", true, 100);
    EXPECT_THAT(write(), IsEmpty());
    EXPECT_EQ(read_file(folder_ / "zraid-pool@odd.service.d/image.conf"),
              "[Unit]\nRequiresMountsFor=\"/srv/100%% \\\"my\\\" images\\\\a.img\"\n");
    // As systemd-escape --path has them.
    define("dots", "/srv/100% \"my\"/a-b/.c.d/e.img", true, 101);
    EXPECT_THAT(write(), IsEmpty());
    EXPECT_EQ(read_file(folder_ / "zraid-pools.service.d/images.conf"),
              "[Unit]\n"
              "After=srv-100\\x25\\x20\\x22my\\x22-a\\x2db-.c.d.mount\n"
              "After=srv-100\\x25\\x20\\x22my\\x22-a\\x2db.mount\n"
              "After=srv-100\\x25\\x20\\x22my\\x22.mount\n"
              "After=srv.mount\n");
}

TEST_F(BootUnits, LeavesOutWhatItCannotRead)
{
    define("good", "/srv/good.img", true, 100);
    system_.put("etc/pools/bad.xml", "<pool>");
    EXPECT_THAT(write(), ElementsAre(HasSubstr("pool 'bad' is left out")));
    EXPECT_TRUE(fs::is_symlink(folder_ / "multi-user.target.wants/zraid-pool@good.service"));
}

} // namespace
} // namespace zraid
