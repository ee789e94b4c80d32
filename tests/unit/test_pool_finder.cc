#include "domains/pool_finder.h"
#include "pools/store.h"
#include "support/failure.h"
#include "support/fake_block_device.h"
#include "support/log_capture.h"
#include "support/pool_definitions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::add_block_device;
using test::add_slave;
using test::BlockNode;
using test::failure;
using test::FakeSystem;
using test::give_number;
using test::LogCapture;
using test::pool_definition;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class PoolsOfDomain : public ::testing::Test
{
protected:
    /// Defines a pool, with libvirt, on /dev/mdNUMBER.
    void define(const std::string& name, int number, bool libvirt = true)
    {
        PoolDefinition pool = pool_definition(name);
        pool.md_number = number;
        pool.settings.libvirt = libvirt;
        pool.uuid = Uuid::random();
        PoolStore(system_.paths).save(pool);
    }
    std::vector<std::string> pools(const std::vector<DiskSource>& sources) const
    {
        std::vector<std::string> names;
        for (const PoolDefinition& pool :
             pools_of_domain(system_.paths, {"web", {}, false, sources}))
            names.push_back(pool.name);
        return names;
    }
    std::vector<std::string> pools_of_path(const std::string& path) const
    {
        return pools({{path, "", ""}});
    }
    std::string dev(const std::string& name) const { return system_.paths.device(name); }

    FakeSystem system_;
};

TEST_F(PoolsOfDomain, AreFoundByTheNameOfTheLibvirtPool)
{
    define("vm", 100);
    define("mail", 101);
    EXPECT_THAT(pools({{"", "mail", "md101p1"}}), ElementsAre("mail"));
    EXPECT_THAT(pools({{"", "vm", "md100p1"}, {"", "mail", "md101p1"}, {"", "vm", "md100p2"}}),
                ElementsAre("mail", "vm"))
        << "each once, sorted";
    EXPECT_THAT(pools({{"", "default", "x.qcow2"}}), IsEmpty());
}

TEST_F(PoolsOfDomain, AreNotFoundByANameThatLibvirtHasForAnotherPool)
{
    define("vm", 100, false);
    EXPECT_THAT(pools({{"", "vm", "disk.img"}}), IsEmpty());
    EXPECT_THAT(pools({{dev("md100p1"), "", ""}}), ElementsAre("vm"));
}

TEST_F(PoolsOfDomain, AreFoundByTheirStableNames)
{
    define("vm", 100, false);
    EXPECT_THAT(pools_of_path(dev("zraid/vm/array")), ElementsAre("vm"));
    EXPECT_THAT(pools_of_path(dev("zraid/vm/md100p1")), ElementsAre("vm"));
    EXPECT_THAT(pools_of_path(dev("zraid/mail/md100p1")), IsEmpty());
    EXPECT_THROW(pools_of_path(dev("zraid/vm-md100p1")), Error) << "a name of once";
}

TEST_F(PoolsOfDomain, AreFoundByTheNameOfAnArrayThatIsNotThere)
{
    define("vm", 100);
    EXPECT_THAT(pools_of_path(dev("md100")), ElementsAre("vm"));
    EXPECT_THAT(pools_of_path(dev("md100p1")), ElementsAre("vm"));
    EXPECT_THAT(pools_of_path(dev("md101p1")), IsEmpty());
}

TEST_F(PoolsOfDomain, AreFoundByPathsThatAreSpelledOtherwise)
{
    define("vm", 100);
    const std::string folder = system_.paths.dev;
    for (const std::string& path :
         {folder + "//md100p1", folder + "/./md100p1", folder + "/disk/../md100p1"})
        EXPECT_THAT(pools_of_path(path), ElementsAre("vm")) << path;
}

TEST_F(PoolsOfDomain, AreFoundThroughLinksWhoseTargetIsMissing)
{
    define("vm", 100);
    system_.link("links/absolute", dev("md100p1"));
    system_.link("links/relative", "../dev/md100p2");
    system_.link("links/chain", "relative");
    system_.link("links/other", "../dev/sda");
    for (const char* name : {"absolute", "relative", "chain"})
        EXPECT_THAT(pools_of_path(system_ / ("links/" + std::string(name))), ElementsAre("vm"))
            << name;
    EXPECT_THAT(pools_of_path(system_ / "links/other"), IsEmpty());
}

TEST_F(PoolsOfDomain, SurviveLinksThatLeadInACircle)
{
    const LogCapture log;
    define("vm", 100);
    system_.link("a", system_ / "b");
    system_.link("b", system_ / "a");
    EXPECT_THAT(pools_of_path(system_ / "a"), IsEmpty());
    EXPECT_THAT(log.lines(), ElementsAre(HasSubstr("the disk is taken for none of zraid's")));
}

TEST_F(PoolsOfDomain, AreFoundBelowDeviceMapper)
{
    define("vm", 100);
    define("mail", 101);
    const BlockNode node(system_);
    add_block_device(system_, "md101");
    add_block_device(system_, "md101/md101p1");
    add_block_device(system_, "dm-4");
    add_slave(system_, "dm-4", "md101/md101p1");
    give_number(system_, node.number(), "dm-4");
    EXPECT_THAT(pools_of_path(node.path()), ElementsAre("mail"));
}

TEST_F(PoolsOfDomain, AreFoundBelowAFile)
{
    define("vm", 100);
    const BlockNode node(system_);
    const std::string file = system_.put("images/disk.qcow2", "");
    struct stat info = {};
    ASSERT_EQ(::stat(file.c_str(), &info), 0);
    add_block_device(system_, "md100");
    const bool has_number = gnu_dev_major(info.st_dev) != 0;
    give_number(system_, has_number ? info.st_dev : node.number(), "md100");
    system_.put("proc/self/mountinfo", "22 1 " + test::device_numbers(info.st_dev) +
                                           " / / rw - btrfs " + node.path() + " rw\n");
    EXPECT_THAT(pools_of_path(file), ElementsAre("vm"));
}

TEST_F(PoolsOfDomain, IgnoreOtherPaths)
{
    const LogCapture log;
    define("vm", 100);
    for (const char* path : {"", "relative/path", "md100p1", "nbd://host/md100", "/no/such/file",
                             "/dev/null", "/dev/md", "json:{\"file\":\"/dev/md100\"}"})
        EXPECT_THAT(pools_of_path(path), IsEmpty()) << path;
    EXPECT_THAT(log.lines(), IsEmpty());
}

TEST_F(PoolsOfDomain, AreNotFoundByANumberThatIsAnotherArrays)
{
    define("vm", 100);
    system_.put_tree("md100-mirrored.tree", "sys/block/md100"); // of another UUID
    EXPECT_THAT(failure([&] { pools_of_path(dev("md100p1")); }),
                HasSubstr("has the number of pool 'vm', but the array there is another one"));
    EXPECT_THAT(pools_of_path(dev("zraid/vm/md100p1")), ElementsAre("vm"));
    PoolDefinition pool = PoolStore(system_.paths).load("vm");
    pool.uuid = Uuid::parse("0123abcd-4567-89ef-fedc-ba9876543210");
    PoolStore(system_.paths).save(pool);
    EXPECT_THAT(pools_of_path(dev("md100p1")), ElementsAre("vm"));
}

TEST_F(PoolsOfDomain, NeedTheDefinitionThatIsNamed)
{
    define("vm", 100);
    system_.put("etc/pools/mail.xml", "<zraidpool>\n");
    EXPECT_THAT(failure([&] {
                    pools({{"", "mail", "md101p1"}});
                }),
                StartsWith((system_ / "etc/pools/mail.xml").string() + ":"));
}

TEST_F(PoolsOfDomain, AreFoundBesideABrokenDefinition)
{
    const LogCapture log;
    define("vm", 100);
    system_.put("etc/pools/mail.xml", "<zraidpool>\n");
    EXPECT_THAT(pools({{dev("md100p1"), "", ""}}), ElementsAre("vm"));
    EXPECT_THAT(log.lines(), ElementsAre(StartsWith("warning: pool 'mail' is left out: ")));
}

TEST_F(PoolsOfDomain, LookAtNoDefinitionThatNothingHintsAt)
{
    const LogCapture log;
    define("vm", 100);
    system_.put("etc/pools/mail.xml", "<zraidpool>\n");
    system_.put("proc/self/mountinfo", "");
    const std::string file = system_.put("images/disk.img", "");
    EXPECT_THAT(pools({{file, "", ""}, {"", "default", "x"}}), IsEmpty());
    EXPECT_THAT(log.lines(), IsEmpty()) << "the broken one was not read";
}

TEST_F(PoolsOfDomain, AreFoundByVolumesThatAreNotThereYet)
{
    PoolDefinition group = pool_definition("a-b");
    group.type = PoolType::logical;
    PoolStore(system_.paths).save(group);
    PoolDefinition files = pool_definition("files");
    files.type = PoolType::fs;
    files.target = system_ / "mnt/files";
    files.md_number = 101;
    PoolStore(system_.paths).save(files);
    for (const char* name : {"a-b/x-y", "mapper/a--b-x--y", "zraid/a-b/x-y"})
        EXPECT_THAT(pools_of_path(dev(name)), ElementsAre("a-b")) << name;
    for (const char* name : {"a/b-x", "mapper/a-b--x", "mapper/a--b", "a-b"})
        EXPECT_THAT(pools_of_path(dev(name)), IsEmpty()) << name;
    EXPECT_THAT(pools_of_path(files.target + "/x.img"), ElementsAre("files"));
    EXPECT_THAT(pools_of_path(files.target + "2/x.img"), IsEmpty());
    system_.folder("mnt/files");
    system_.link("link", "mnt");
    EXPECT_THAT(pools_of_path(system_ / "link/files/x.img"), ElementsAre("files"));
    system_.link("disk", "link/files/y.img");
    EXPECT_THAT(pools_of_path(system_ / "disk"), ElementsAre("files"));
}

TEST_F(PoolsOfDomain, AreNoneWithoutDefinitionsOrDisks)
{
    EXPECT_THAT(pools({{dev("md100p1"), "", ""}, {"", "vm", "md100p1"}}), IsEmpty());
    define("vm", 100);
    EXPECT_THAT(pools({}), IsEmpty());
}

} // namespace
} // namespace zraid
