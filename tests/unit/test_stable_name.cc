#include "pools/stable_name.h"
#include "pools/store.h"
#include "support/fake_system.h"
#include "support/pool_definitions.h"
#include "util/error.h"

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
    EXPECT_EQ(parse("zraid/a/array"), (StableName{"a", ""}));
    EXPECT_EQ(parse("zraid//a-b/array"), (StableName{"a-b", ""}));
    EXPECT_EQ(parse("zraid/a/md100p1"), (StableName{"a", "md100p1"}));
    EXPECT_EQ(parse("md/../zraid/a-b/root"), (StableName{"a-b", "root"}));
    EXPECT_EQ(parse("zraid/a/b-root"), (StableName{"a", "b-root"}));
}

TEST_F(StableNames, AreNotWhatOnlyLooksLikeThem)
{
    for (const char* name :
         {"a", "md100p1", "zraid", "zraid/", "zraid/a", "zraid/a/", "zraid/c/array",
          "zraid/c/md100p1", "zraid/a-md100p1", "zraid/a/b/c", "a/md100p1"})
        EXPECT_EQ(parse(name), std::nullopt) << name;
    EXPECT_EQ(parse_stable_name(system_.paths, "zraid/a/array", {"a"}), std::nullopt);
    EXPECT_EQ(parse_stable_name(system_.paths, "", {"a"}), std::nullopt);
}

TEST_F(StableNames, AreMadeWhereUdevDidNotYet)
{
    const PoolDefinition pool = pool_definition("vm"); // md100
    for (int again = 0; again < 2; ++again) {
        make_stable_name(system_.paths, pool, in_dev("zraid/vm/array"));
        make_stable_name(system_.paths, pool, in_dev("zraid/vm/md100p2"));
        make_stable_name(system_.paths, pool, in_dev("zraid/mail/array"));
        make_stable_name(system_.paths, pool, in_dev("md100p3"));
    }
    EXPECT_EQ(fs::read_symlink(in_dev("zraid/vm/array")), "../../md100");
    EXPECT_EQ(fs::read_symlink(in_dev("zraid/vm/md100p2")), "../../md100p2");
    EXPECT_EQ(entries_of(in_dev("zraid")), (std::vector<std::string>{"vm"}));
    EXPECT_EQ(entries_of(in_dev("zraid/vm")), (std::vector<std::string>{"array", "md100p2"}));
    EXPECT_FALSE(fs::is_symlink(in_dev("md100p3")));
}

TEST_F(StableNames, ThatLeadElsewhereAreCorrected)
{
    const PoolDefinition pool = pool_definition("vm");
    fs::create_directories(in_dev("zraid/vm"));
    fs::create_symlink("../../md9", in_dev("zraid/vm/array"));
    fs::create_symlink("../../md101p1", in_dev("zraid/vm/md101p1"));
    make_stable_name(system_.paths, pool, in_dev("zraid/vm/array"));
    EXPECT_EQ(fs::read_symlink(in_dev("zraid/vm/array")), "../../md100");
    EXPECT_THROW(make_stable_name(system_.paths, pool, in_dev("zraid/vm/md101p1")), Error);
    EXPECT_FALSE(fs::is_symlink(in_dev("zraid/vm/md101p1"))) << "another pool's volume";
    fs::remove_all(in_dev("zraid/vm"));
    fs::create_symlink("../md9", in_dev("zraid/vm"));
    make_stable_name(system_.paths, pool, in_dev("zraid/vm/array"));
    EXPECT_EQ(fs::read_symlink(in_dev("zraid/vm/array")), "../../md100");
}

TEST_F(StableNames, AsTheyWereOnceAreTold)
{
    const auto instead = [&](const std::string& name) {
        return name_instead_of(system_.paths, in_dev(name), {"a", "a-b"});
    };
    EXPECT_EQ(instead("zraid/a"), in_dev("zraid/a/array"));
    EXPECT_EQ(instead("zraid/a-md100p1"), in_dev("zraid/a/md100p1"));
    EXPECT_EQ(instead("zraid/a-b-root"), in_dev("zraid/a-b/root"));
    for (const char* name : {"zraid/c", "zraid/c-md1p1", "zraid/a/md100p1", "a-b", "zraid"})
        EXPECT_EQ(instead(name), std::nullopt) << name;
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
