#include "doctor/doctor.h"
#include "doctor/looks.h"
#include "pools/store.h"
#include "support/fake_system.h"
#include "support/pool_definitions.h"
#include "support/recorded_leg.h"
#include "support/test_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace zraid {

static void PrintTo(const Finding& finding, std::ostream* stream)
{
    *stream << to_string(finding.severity) << ' ' << finding.subject << ": " << finding.what
            << " Next: " << finding.next;
}

namespace {

namespace fs = std::filesystem;
using test::pool_definition;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

auto is(Severity severity, const std::string& what)
{
    return AllOf(Field("severity", &Finding::severity, severity),
                 Field("what", &Finding::what, HasSubstr(what)));
}

class Doctor : public ::testing::Test
{
protected:
    Doctor()
    {
        Paths& paths = system_.paths;
        paths.host_run = system_.folder("host-run");
        paths.modules = system_.folder("modules");
        paths.hook = system_.put("hooks/zraid", "");
        paths.udev_rules = system_.put("rules/63-zraid.rules", "");
        fs::permissions(paths.hook, fs::perms(0755));
        admin_.paths = paths;
        system_.put("proc/sys/kernel/osrelease", "6.1.0-56-amd64\n");
        system_.put("proc/meminfo", "MemTotal: 4194304 kB\nMemAvailable: 1024000 kB\n");
        system_.put("proc/stat", "cpu 1 2 3\nbtime 1000000000\nprocesses 7\n");
    }
    /// A process that started so many seconds after the system did.
    void put_process(int pid, const std::string& name, long started)
    {
        const std::string folder = "proc/" + std::to_string(pid);
        system_.put(folder + "/comm", name + "\n");
        std::string fields = " S";
        for (int field = 4; field < 22; ++field)
            fields += " 0";
        const long ticks = started * ::sysconf(_SC_CLK_TCK);
        system_.put(folder + "/stat", std::to_string(pid) + " (odd) name)" + fields + " " +
                                          std::to_string(ticks) + " 0\n");
    }
    PoolDefinition define()
    {
        PoolDefinition pool = pool_definition();
        pool.image = system_.put("vm.img", test::recorded_leg());
        PoolStore(system_.paths).save(pool);
        return pool;
    }

    test::FakeSystem system_;
    Admin admin_{system_.paths, test::kTestDriver};
};

TEST_F(Doctor, SeesDriversThatWorkCanBeLoadedOrAreMissing)
{
    system_.folder("sys/module/raid1");
    system_.put("modules/6.1.0-56-amd64/modules.dep",
                "kernel/drivers/block/zram/zram.ko: kernel/mm/zsmalloc.ko\n");
    EXPECT_THAT(doctor::look_at_kernel(system_.paths),
                ElementsAre(is(Severity::good, "raid1 works"),
                            is(Severity::good, "zram is loaded when it is needed"),
                            is(Severity::error, "there is no loop")));
    system_.put("modules/6.1.0-56-amd64/modules.builtin", "kernel/drivers/block/loop.ko\n");
    EXPECT_THAT(doctor::look_at_kernel(system_.paths),
                Contains(is(Severity::good, "loop is loaded when it is needed")));
}

TEST_F(Doctor, SeesAHookThatLibvirtPassesOver)
{
    const fs::path& hook = admin_.paths.hook;
    EXPECT_THAT(doctor::look_at_libvirt(admin_), Not(Contains(is(Severity::error, ""))));
    fs::permissions(hook, fs::perms(0644));
    EXPECT_THAT(doctor::look_at_libvirt(admin_), Contains(is(Severity::error, "not executable")));
    fs::permissions(hook, fs::perms(0775));
    EXPECT_THAT(doctor::look_at_libvirt(admin_),
                Contains(is(Severity::error, "others than root may write")));
    fs::remove(hook);
    EXPECT_THAT(doctor::look_at_libvirt(admin_), Contains(is(Severity::error, "is not there")));
}

TEST_F(Doctor, SeesADaemonThatIsOlderThanTheHook)
{
    put_process(7, "libvirtd", 5);
    EXPECT_THAT(doctor::look_at_libvirt(admin_),
                Contains(is(Severity::warning, "libvirtd runs since before it was installed")));
    put_process(7, "libvirtd", 4'000'000'000);
    EXPECT_THAT(doctor::look_at_libvirt(admin_),
                Contains(is(Severity::good, "libvirtd was started behind it")));
    put_process(8, "virtqemud", 5);
    EXPECT_THAT(doctor::look_at_libvirt(admin_),
                Contains(is(Severity::warning, "virtqemud runs since before")));
}

TEST_F(Doctor, SeesStoragePoolsThatLibvirtDoesNotHave)
{
    PoolDefinition pool = define();
    EXPECT_THAT(doctor::look_at_libvirt(admin_), Not(Contains(is(Severity::error, ""))));
    pool.settings.libvirt = true;
    PoolStore(system_.paths).save(pool);
    EXPECT_THAT(doctor::look_at_libvirt(admin_),
                Contains(is(Severity::error, "libvirt has no storage pool of that name")));
    admin_.uri = test::kNoDriver;
    EXPECT_THAT(doctor::look_at_libvirt(admin_), Contains(is(Severity::error, "connect to")));
}

TEST_F(Doctor, SeesWhatTakesThePlaceOfTheRules)
{
    EXPECT_THAT(doctor::look_at_udev(system_.paths),
                ElementsAre(is(Severity::error, "udevd does not run"), is(Severity::good, "")));
    system_.put("host-run/udev/control", "");
    system_.put("host-etc/udev/rules.d/63-zraid.rules", "");
    EXPECT_THAT(doctor::look_at_udev(system_.paths),
                ElementsAre(is(Severity::good, "udevd runs"), is(Severity::good, ""),
                            is(Severity::warning, "takes the place")));
    fs::remove(system_.paths.udev_rules);
    EXPECT_THAT(doctor::look_at_udev(system_.paths),
                Contains(is(Severity::error, "other rules assemble our legs")));
}

TEST_F(Doctor, SeesServicesThatDoNotRun)
{
    EXPECT_THAT(doctor::look_at_services(system_.paths),
                ElementsAre(is(Severity::warning, "zraid-monitor does not run"),
                            is(Severity::note, "not booted with systemd")));
    put_process(9, "zraid-monitor", 5);
    system_.folder("host-run/systemd/system");
    EXPECT_THAT(doctor::look_at_services(system_.paths),
                ElementsAre(is(Severity::good, "zraid-monitor runs"),
                            is(Severity::warning, "zraid-pools.service is not enabled")));
    const fs::path wants = system_.folder("host-etc/systemd/system/multi-user.target.wants");
    fs::create_symlink("/lib/systemd/system/zraid-pools.service", wants / "zraid-pools.service");
    EXPECT_THAT(doctor::look_at_services(system_.paths), Each(is(Severity::good, "")));
}

TEST_F(Doctor, SeesWhoElseIsThere)
{
    EXPECT_THAT(doctor::look_at_neighbours(system_.paths), Each(is(Severity::good, "")));
    system_.put("host-etc/lvm/lvm.conf", "devices {\n\t# global_filter = [ \"r|md|\" ]\n}\n");
    system_.put("sys/module/apparmor/parameters/enabled", "Y\n");
    system_.folder("sys/block/zram0");
    EXPECT_THAT(doctor::look_at_neighbours(system_.paths),
                ElementsAre(is(Severity::warning, "vgs and lvs"),
                            is(Severity::note, "type='volume'"),
                            is(Severity::note, "zram0 is not zraid's")));
    system_.put("host-etc/lvm/lvm.conf",
                "devices {\n\tglobal_filter = [ \"r|^/dev/md[0-9]+p|\" ]\n}\n");
    EXPECT_THAT(doctor::look_at_neighbours(system_.paths),
                Contains(is(Severity::good, "speaks of md")));
}

TEST_F(Doctor, SeesPoolsAndTheirImages)
{
    EXPECT_THAT(doctor::look_at_pools(admin_), ElementsAre(is(Severity::note, "none is defined")));
    const PoolDefinition pool = define();
    fs::permissions(pool.image, fs::perms(0600));
    EXPECT_THAT(doctor::look_at_pools(admin_), Contains(is(Severity::good, "inactive")));
    EXPECT_THAT(doctor::look_at_pools(admin_), Not(Contains(is(Severity::error, ""))));
    fs::permissions(pool.image, fs::perms(0646));
    EXPECT_THAT(doctor::look_at_pools(admin_),
                Contains(is(Severity::warning, "everybody may open its image")));
    fs::resize_file(pool.image, std::uintmax_t{8} << 40U);
    EXPECT_THAT(doctor::look_at_pools(admin_),
                Contains(is(Severity::warning, "its image is sparse")));
    fs::remove(pool.image);
    EXPECT_THAT(doctor::look_at_pools(admin_),
                Contains(is(Severity::error, "No such file or directory")));
    system_.put("etc/pools/bad.xml", "<pool>");
    EXPECT_THAT(doctor::look_at_pools(admin_), Contains(is(Severity::error, "bad.xml")));
}

TEST_F(Doctor, SeesRamLegsThatDoNotFit)
{
    define();
    EXPECT_THAT(doctor::look_at_memory(admin_), ElementsAre(is(Severity::good, "room for")));
    system_.put("proc/meminfo", "MemTotal: 4194304 kB\nMemAvailable: 1024 kB\n");
    EXPECT_THAT(doctor::look_at_memory(admin_), ElementsAre(is(Severity::warning, "'vm'")));
}

TEST_F(Doctor, GoesOnWhereALookFails)
{
    system_.remove("proc/meminfo");
    system_.remove("proc/sys");
    const Findings found = examine_host(admin_);
    for (const char* subject : {"kernel", "memory"})
        EXPECT_THAT(found, Contains(AllOf(is(Severity::error, "No such file"),
                                          Field("subject", &Finding::subject, subject))));
    EXPECT_THAT(found, Contains(Field("subject", &Finding::subject, "pools")));
    const Json json = to_json(found);
    ASSERT_EQ(json.elements()->size(), found.size());
    const Json& first = json.elements()->front();
    EXPECT_EQ(*first.find("severity")->text(), "error");
    EXPECT_TRUE(first.find("next")->is_null());
}

} // namespace
} // namespace zraid
