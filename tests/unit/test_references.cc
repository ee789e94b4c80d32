#include "domains/references.h"
#include "pools/store.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/pool_definitions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::pool_definition;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class References : public testing::Test
{
protected:
    References()
    {
        system_.paths.host_run = system_.folder("host-run");
        system_.put("proc/self/mountinfo", "");
        pool_.settings.libvirt = true;
        PoolStore(system_.paths).save(pool_);
    }
    std::string xml(const std::string& name, const std::string& disks) const
    {
        return "<domain><name>" + name +
               "</name><uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>" + "<devices>" + disks +
               "</devices></domain>";
    }
    void define(const std::string& name, const std::string& disks) const
    {
        system_.put("host-etc/libvirt/qemu/" + name + ".xml",
                    "<!--\nWARNING\n-->\n" + xml(name, disks));
    }
    std::string dev(const std::string& name) const { return system_.paths.device(name); }
    std::vector<std::string> on_pool() const { return domains_on_pool(system_.paths, pool_); }

    test::FakeSystem system_;
    PoolDefinition pool_ = pool_definition("vm"); // md100
};

TEST_F(References, AreNoneWithoutDomains)
{
    EXPECT_THAT(md_numbers_of_domains(system_.paths), IsEmpty());
    EXPECT_THAT(on_pool(), IsEmpty());
}

TEST_F(References, AreFoundByEveryName)
{
    system_.link("by-hand", "dev/md104p1");
    define("a", "<disk><source dev='" + dev("md100p1") + "'/></disk>");
    define("b", "<disk><source pool='vm' volume='md100p2'/></disk>");
    define("c", "<disk><source dev='" + dev("zraid/vm/md100p1") + "'/></disk>");
    define("d", "<disk><source dev='" + (system_.path() / "by-hand").string() + "'/></disk>");
    define("e", "<disk><source file='/x'/></disk>");
    system_.put("host-run/libvirt/qemu/f.xml",
                "<domstatus state='running'>" +
                    xml("f", "<disk><source dev='" + dev("md7") + "'/></disk>") + "</domstatus>");
    system_.put("host-etc/libvirt/libxl/g.xml",
                xml("g", "<disk><source dev='" + dev("md8p2") + "'/></disk>"));
    system_.put("host-etc/libvirt/qemu/broken.xml", "<domain");
    EXPECT_THAT(md_numbers_of_domains(system_.paths), UnorderedElementsAre(7, 8, 100, 104));
    EXPECT_THAT(on_pool(), UnorderedElementsAre("a", "b", "c"));
    EXPECT_THAT(domains_on_volume(system_.paths, pool_, "md100p1"), UnorderedElementsAre("a", "c"));
    EXPECT_THAT(domains_on_volume(system_.paths, pool_, "md100p2"), ElementsAre("b"));
    EXPECT_THAT(domains_on_volume(system_.paths, pool_, "md100p3"), IsEmpty());
}

TEST_F(References, OfADomainThatRunsAreToldOnce)
{
    const std::string disk = "<disk><source dev='" + dev("md100p1") + "'/></disk>";
    define("a", disk);
    system_.put("host-run/libvirt/qemu/a.xml", "<domstatus>" + xml("a", disk) + "</domstatus>");
    EXPECT_THAT(on_pool(), ElementsAre("a"));
}

TEST_F(References, AreRefused)
{
    refuse_references({}, "pool 'vm'");
    const std::string text = failure([] { refuse_references({"a", "b"}, "pool 'vm'"); });
    EXPECT_THAT(text, HasSubstr("pool 'vm' is named by the definition of domains 'a', 'b'"));
    EXPECT_THAT(text, HasSubstr("--keep-references"));
}

} // namespace
} // namespace zraid
