#include "admin/import.h"
#include "pools/store.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/foreign_leg.h"
#include "support/pool_definitions.h"
#include "util/size.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::FakeSystem;
using test::foreign_leg;
using test::LegOffset;
using test::patch;
using test::pool_definition;
using test::sign;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

/// As far as it comes without md: what would be done, and what is refused.
class Import : public ::testing::Test
{
protected:
    Import() { system_.folder("images"); }

    std::string image(const std::string& name, const std::string& leg = foreign_leg())
    {
        const std::string path = system_.put("images/" + name, leg);
        std::filesystem::resize_file(path, 64 * MiB);
        return path;
    }
    ImportReport import(const std::string& entries, bool apply = false)
    {
        const std::string file = system_.put(
            "zramraid.conf",
            R"({"limit_free_mem": {"size": "80", "value_size": "%"}, "md": [)" + entries + "]}");
        return import_zram_raid({system_.paths}, file, apply);
    }
    static std::string entry(const std::string& id, const std::string& path)
    {
        return fmt::format(R"({{"id": "{}", "image": "{}"}})", id, path);
    }
    std::string refusal(const std::string& id, const std::string& path)
    {
        const ImportReport report = import(entry(id, path));
        EXPECT_EQ(report.entries.at(0).state, ImportState::refused);
        return report.entries.at(0).why;
    }
    void define(const std::string& name, const std::string& path, int md_number)
    {
        PoolDefinition pool = pool_definition(name);
        pool.image = path;
        pool.md_number = md_number;
        PoolStore(system_.paths).save(pool);
    }

    FakeSystem system_;
};

TEST_F(Import, TellsWhatItWouldDo)
{
    const std::string path = image("a");
    const std::string before = read_file(path, 65 * MiB);
    const ImportReport report = import(entry("0", path));
    ASSERT_EQ(report.entries.size(), 1U);
    const ImportEntry& found = report.entries[0];
    EXPECT_EQ(found.pool, "md0");
    EXPECT_EQ(found.md_number, 0);
    EXPECT_EQ(found.size, 64 * MiB);
    EXPECT_EQ(found.state, ImportState::ready) << found.why;
    EXPECT_EQ(report.memory_limit, "80%");
    EXPECT_FALSE(report.has_refused());
    EXPECT_EQ(read_file(path, 65 * MiB), before);
    EXPECT_FALSE(std::filesystem::exists(system_.paths.etc));
}

TEST_F(Import, OneThatIsRefusedKeepsNoOtherFromIt)
{
    const ImportReport report =
        import(entry("x", "/a") + "," + entry("1", "/nowhere") + "," + entry("2", image("b")));
    ASSERT_EQ(report.entries.size(), 3U);
    EXPECT_THAT(report.entries[0].why, HasSubstr("'x' is no id"));
    EXPECT_THAT(report.entries[1].why, HasSubstr("No such file"));
    EXPECT_EQ(report.entries[2].state, ImportState::ready);
    EXPECT_TRUE(report.has_refused());
}

TEST_F(Import, RefusesWhatItCannotTake)
{
    EXPECT_THAT(refusal("1", "images/a"), HasSubstr("is relative"));
    EXPECT_THAT(refusal("512", "/a"), HasSubstr("md number 512"));
    EXPECT_THAT(refusal("1", system_ / "images"), HasSubstr("not a regular file"));
    EXPECT_THAT(refusal("1", image("a", "")), HasSubstr("no array with metadata 1.2"));
    EXPECT_THAT(refusal("1", image("a", test::recorded_leg())),
                AllOf(HasSubstr("zraid's array 'zraid:vm'"), HasSubstr("define")));
    std::string leg = foreign_leg();
    patch(leg, LegOffset::feature_map, 4, 8);
    sign(leg);
    EXPECT_THAT(refusal("1", image("a", leg)), HasSubstr("bad blocks"));
    system_.put("images/small", "x");
    EXPECT_THAT(refusal("1", system_ / "images/small"), HasSubstr("has 1 B"));
}

TEST_F(Import, RefusesTheSameTwice)
{
    const std::string path = image("a");
    EXPECT_THAT(import(entry("1", path) + "," + entry("2", path)).entries.at(1).why,
                HasSubstr("its image twice"));
    EXPECT_THAT(import(entry("1", path) + "," + entry("1", image("b"))).entries.at(1).why,
                HasSubstr("its id twice"));
}

TEST_F(Import, RefusesWhatOtherPoolsHave)
{
    const std::string path = image("a");
    define("other", path, 100);
    EXPECT_THAT(refusal("1", path), HasSubstr("belongs to pool 'other'"));
    define("other", image("b"), 1);
    EXPECT_THAT(refusal("1", path), HasSubstr("/dev/md1 is that of pool 'other'"));
    define("md1", image("b"), 100);
    EXPECT_THAT(refusal("1", path), HasSubstr("defined already, with another"));
}

TEST_F(Import, RefusesAnArrayThatRuns)
{
    const std::string path = image("a");
    system_.put_all("sys/block/md5/md",
                    {{"array_state", "clean"}, {"uuid", "0123abcd-4567-89ef-fedc-ba9876543210"}});
    EXPECT_THAT(refusal("1", path), HasSubstr("runs as /dev/md5"));
    system_.put("sys/block/md5/md/uuid", "00000000-4567-89ef-fedc-ba9876543210\n");
    EXPECT_THAT(refusal("5", path), HasSubstr("/dev/md5 is another array"));
    EXPECT_EQ(import(entry("1", path)).entries.at(0).state, ImportState::ready);
}

TEST_F(Import, RefusesAnImageWithANewerRamLeg)
{
    std::string ram = foreign_leg();
    system_.folder("sys/block/zram3");
    system_.put("dev/zram3", ram);
    const std::string path = image("a");
    EXPECT_EQ(import(entry("1", path)).entries.at(0).state, ImportState::ready);
    patch(ram, LegOffset::events, 8, 37);
    system_.put("dev/zram3", ram);
    EXPECT_THAT(refusal("1", path), HasSubstr("/dev/zram3 is of the same array and newer"));
}

TEST_F(Import, KeepsAMemoryLimitThatIsSet)
{
    system_.put("etc/zraid.conf", "memory-limit = 50%\n");
    EXPECT_THAT(import("").memory_limit, HasSubstr("stays as zraid.conf has it"));
    import("", true);
    EXPECT_EQ(read_file(system_.paths.etc / "zraid.conf"), "memory-limit = 50%\n");
}

TEST_F(Import, SetsTheMemoryLimit)
{
    import("", true);
    EXPECT_EQ(read_file(system_.paths.etc / "zraid.conf"), "memory-limit = 80%\n");
    EXPECT_THAT(import("").memory_limit, HasSubstr("stays"));
}

TEST_F(Import, MakesRoomForItsOwnSettings)
{
    const std::string text = R"({"limit_free_mem": "70%", "md": []})";
    const std::string file = system_.put("etc/zraid.conf", text);
    const Admin admin{system_.paths};
    EXPECT_THAT(import_zram_raid(admin, file, false).warnings, Contains(HasSubstr("becomes")));
    EXPECT_EQ(read_file(file), text);
    EXPECT_THAT(import_zram_raid(admin, file, true).warnings, Contains(HasSubstr("is now")));
    EXPECT_EQ(read_file(file), "memory-limit = 70%\n");
    EXPECT_EQ(read_file(file + ".zram-raid"), text);
}

TEST_F(Import, WarnsOfItsStartAtBoot)
{
    system_.put("host-etc/init.d/zramraid-manager", "");
    system_.put("host-etc/systemd/system/multi-user.target.wants/zramraid.service", "");
    system_.put("host-etc/rc.local", "/etc/zraid/zraid-maker --on\n");
    EXPECT_THAT(import("").warnings,
                AllOf(Contains(HasSubstr("systemctl disable --now zramraid.service")),
                      Contains(HasSubstr("/etc/init.d/zramraid-manager")),
                      Contains(HasSubstr("/etc/rc.local calls it"))));
}

TEST_F(Import, LeavesTheImageIfTheLockIsNotToBeHad)
{
    const std::string path = image("a");
    system_.put("run/locks", "a file in the place of a folder");
    EXPECT_NE(failure([&] { import(entry("1", path), true); }), "no error");
    EXPECT_EQ(read_file(path, 65 * MiB).substr(0, MiB), foreign_leg());
}

} // namespace
} // namespace zraid
