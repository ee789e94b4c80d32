#include "pools/store.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/pool_definitions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace zraid {
namespace {

using test::failure;
using test::failure_code;
using test::FakeSystem;
using test::mode_of;
using test::pool_definition;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class PoolStoreTest : public ::testing::Test
{
protected:
    FakeSystem system_;
    PoolStore store_{system_.paths};
};

TEST_F(PoolStoreTest, SavesAndLoads)
{
    const PoolDefinition pool = pool_definition("vm.1");
    EXPECT_FALSE(store_.contains("vm.1"));
    store_.save(pool);
    EXPECT_TRUE(store_.contains("vm.1"));
    EXPECT_EQ(store_.load("vm.1"), pool);
    EXPECT_EQ(store_.raw_xml("vm.1"), to_xml(pool));
    EXPECT_THAT(store_.names(), ElementsAre("vm.1"));
    EXPECT_EQ(store_.file("vm.1"), system_.paths.etc / "pools/vm.1.xml");
}

TEST_F(PoolStoreTest, SavesForRootAlone)
{
    const mode_t old = ::umask(0);
    store_.save(pool_definition());
    ::umask(old);
    EXPECT_EQ(mode_of(store_.file("vm")), 0600U);
    EXPECT_EQ(mode_of(system_.paths.pools()), 0700U);
}

TEST_F(PoolStoreTest, SavesAgain)
{
    PoolDefinition pool = pool_definition();
    store_.save(pool);
    pool.settings.compressor = "zstd";
    store_.save(pool);
    EXPECT_EQ(store_.load("vm").settings.compressor, "zstd");
    EXPECT_THAT(entries_of(system_.paths.pools()), ElementsAre("vm.xml"));
}

TEST_F(PoolStoreTest, RemovesAndRemovesAgain)
{
    store_.save(pool_definition());
    store_.remove("vm");
    EXPECT_FALSE(store_.contains("vm"));
    EXPECT_EQ(failure([&] { store_.remove("vm"); }), "no error");
    EXPECT_THAT(store_.names(), IsEmpty());
}

TEST_F(PoolStoreTest, IsEmptyWithoutAFolder)
{
    EXPECT_THAT(store_.names(), IsEmpty());
    EXPECT_THAT(store_.load_all(), IsEmpty());
    EXPECT_EQ(failure([&] { store_.remove("vm"); }), "no error");
}

TEST_F(PoolStoreTest, SaysThatThereIsNoPool)
{
    EXPECT_EQ(failure([&] { store_.load("vm"); }),
              "there is no pool 'vm'. Next: zraid-pool list shows those that are defined");
    EXPECT_EQ(failure_code([&] { store_.load("vm"); }), 1);
}

TEST_F(PoolStoreTest, NeverLeavesItsFolder)
{
    system_.put("etc/secret.xml", to_xml(pool_definition("secret")));
    store_.save(pool_definition());
    EXPECT_THAT(failure([&] { store_.load("../secret"); }), HasSubstr("is no pool name"));
    EXPECT_THAT(failure([&] { store_.raw_xml("../secret"); }), HasSubstr("is no pool name"));
}

TEST_F(PoolStoreTest, TakesFilesWithItsEndingOnly)
{
    store_.save(pool_definition("b"));
    store_.save(pool_definition("a"));
    for (const char* name : {"a.xml.new-77", ".hidden.xml", "notes", "a.xml~", ".xml", "c.XML"})
        system_.put("etc/pools/" + std::string(name), "");
    EXPECT_THAT(store_.names(), ElementsAre("a", "b"));
}

TEST_F(PoolStoreTest, OneBrokenDefinitionHidesNoOther)
{
    store_.save(pool_definition("good"));
    store_.save(pool_definition("last"));
    system_.put("etc/pools/broken.xml", "<zraidpool>\n  <name>broken\n");
    system_.put("etc/pools/bad name.xml", to_xml(pool_definition()));
    system_.put("etc/pools/empty.xml", "");
    system_.put("etc/pools/huge.xml", std::string((1 << 20) + 1, ' '));
    system_.put("etc/pools/other.xml", to_xml(pool_definition("good")));
    system_.folder("etc/pools/folder.xml");
    system_.link("etc/pools/dangling.xml", "nowhere");

    const auto pools = store_.load_all();
    std::map<std::string, std::string> problems;
    for (const StoredPool& pool : pools) {
        EXPECT_EQ(pool.definition.has_value(), pool.problem.empty()) << pool.name;
        EXPECT_EQ(pool.problem.find('\n'), std::string::npos) << pool.problem;
        problems[pool.name] = pool.problem;
    }
    const std::string folder = system_.paths.pools();
    EXPECT_EQ(problems.size(), 9U);
    EXPECT_EQ(problems["good"], "");
    EXPECT_EQ(problems["last"], "");
    EXPECT_THAT(problems["broken"], StartsWith(folder + "/broken.xml:3:"));
    EXPECT_THAT(problems["bad name"], StartsWith("'bad name' is no pool name"));
    EXPECT_THAT(problems["empty"], StartsWith(folder + "/empty.xml:"));
    EXPECT_EQ(problems["huge"], "read '" + folder + "/huge.xml': longer than 1048576 bytes");
    EXPECT_EQ(problems["other"],
              folder + "/other.xml: defines a pool 'good', not 'other'. Next: rename the file or "
                       "correct the name in it");
    EXPECT_THAT(problems["folder"], HasSubstr("Is a directory"));
    EXPECT_THAT(problems["dangling"], HasSubstr("there is no pool 'dangling'"));
}

TEST_F(PoolStoreTest, TrustsNoFileThatEverybodyMayWrite)
{
    store_.save(pool_definition());
    const std::string file = store_.file("vm");
    ::chmod(file.c_str(), 0646);
    EXPECT_EQ(failure([&] { store_.load("vm"); }),
              "'" + file +
                  "' may be written by everybody, so it is not trusted. Next: check what is in it, "
                  "then chmod o-w '" +
                  file + "'");
    EXPECT_THAT(store_.load_all().at(0).problem, HasSubstr("may be written by everybody"));
    ::chmod(file.c_str(), 0644);
    EXPECT_EQ(failure([&] { store_.load("vm"); }), "no error") << "others may read it";
}

TEST_F(PoolStoreTest, TrustsNoFolderThatEverybodyMayWrite)
{
    store_.save(pool_definition());
    const std::string folder = system_.paths.pools();
    ::chmod(folder.c_str(), 0777);
    EXPECT_THAT(failure([&] { store_.load("vm"); }),
                AllOf(StartsWith("'" + folder + "' may be written by everybody"),
                      HasSubstr("chmod o-w '" + folder + "'")));
    ::chmod(folder.c_str(), 01777);
    EXPECT_THAT(failure([&] { store_.load("vm"); }), HasSubstr("may be written by everybody"));
    EXPECT_THAT(failure([&] { store_.save(pool_definition()); }),
                HasSubstr("may be written by everybody"));
}

TEST(RefuseWorldWritable, NamesWhatIsNotThere)
{
    EXPECT_EQ(failure([] { refuse_world_writable("/no/such/file"); }),
              "stat '/no/such/file': No such file or directory");
}

} // namespace
} // namespace zraid
