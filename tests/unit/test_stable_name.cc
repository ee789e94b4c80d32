#include "pools/stable_name.h"
#include "pools/store.h"
#include "support/fake_system.h"
#include "support/pool_definitions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {

static void PrintTo(const StableName& name, std::ostream* stream)
{
    *stream << name.pool << " / " << name.device;
}

namespace {

namespace fs = std::filesystem;
using test::FakeSystem;
using test::pool_definition;

class StableNames : public ::testing::Test
{
protected:
    std::string in_dev(const std::string& name) const { return system_.paths.device(name); }
    std::optional<StableName> parse(const std::string& name) const
    {
        return parse_stable_name(system_.paths, in_dev(name), {"a", "a-b", "a-md7p1x"});
    }

    FakeSystem system_;
};

TEST_F(StableNames, AreOfArraysAndVolumes)
{
    EXPECT_EQ(parse("zraid/a"), (StableName{"a", ""}));
    EXPECT_EQ(parse("zraid//a-b"), (StableName{"a-b", ""}));
    EXPECT_EQ(parse("zraid/a-md100p1"), (StableName{"a", "md100p1"}));
    EXPECT_EQ(parse("md/../zraid/a-b-md7p128"), (StableName{"a-b", "md7p128"}));
    EXPECT_EQ(parse("zraid/a-md7p1x"), (StableName{"a-md7p1x", ""}));
}

TEST_F(StableNames, AreNotWhatOnlyLooksLikeThem)
{
    for (const char* name : {"a", "md100p1", "zraid", "zraid/", "zraid/c", "zraid/c-md100p1",
                             "zraid/a-md100", "zraid/a-md100p", "zraid/a-mdp1", "zraid/a-sda1",
                             "zraid/a/md100p1", "zraid/a-", "zraid/-md100p1"})
        EXPECT_EQ(parse(name), std::nullopt) << name;
    EXPECT_EQ(parse_stable_name(system_.paths, "zraid/a", {"a"}), std::nullopt);
    EXPECT_EQ(parse_stable_name(system_.paths, "", {"a"}), std::nullopt);
}

TEST_F(StableNames, AreMadeWhereUdevDidNotYet)
{
    const PoolDefinition pool = pool_definition("vm"); // md100
    for (int again = 0; again < 2; ++again) {
        make_stable_name(system_.paths, pool, in_dev("zraid/vm"));
        make_stable_name(system_.paths, pool, in_dev("zraid/vm-md100p2"));
        make_stable_name(system_.paths, pool, in_dev("zraid/vm-md101p2"));
        make_stable_name(system_.paths, pool, in_dev("zraid/mail"));
        make_stable_name(system_.paths, pool, in_dev("md100p3"));
    }
    EXPECT_EQ(fs::read_symlink(in_dev("zraid/vm")), "../md100");
    EXPECT_EQ(fs::read_symlink(in_dev("zraid/vm-md100p2")), "../md100p2");
    EXPECT_EQ(entries_of(in_dev("zraid")), (std::vector<std::string>{"vm", "vm-md100p2"}));
    EXPECT_FALSE(fs::is_symlink(in_dev("md100p3")));
}

TEST_F(StableNames, LeaveTheLinkThatIsThere)
{
    fs::create_directories(in_dev("zraid"));
    fs::create_symlink("../md9", in_dev("zraid/vm"));
    make_stable_name(system_.paths, pool_definition("vm"), in_dev("zraid/vm"));
    EXPECT_EQ(fs::read_symlink(in_dev("zraid/vm")), "../md9") << "udev's business";
}

TEST_F(StableNames, OfAnArrayComeFromTheDefinition)
{
    PoolDefinition pool = pool_definition("a-name-that-is-longer-than-a-superblock-has-room-for");
    PoolStore(system_.paths).save(pool);
    EXPECT_EQ(pool_of_array(system_.paths, pool.array_name(), pool.uuid), pool);
    EXPECT_EQ(pool_of_array(system_.paths, pool.array_name(), Uuid::random()), std::nullopt);
    EXPECT_EQ(pool_of_array(system_.paths, "host:data", pool.uuid), std::nullopt);
}

} // namespace
} // namespace zraid
