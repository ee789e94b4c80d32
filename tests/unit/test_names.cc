#include "layout/layout.h"
#include "layout/names.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/pool_definitions.h"

#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::failure_code;
using test::FakeSystem;
using test::pool_definition;

PoolDefinition of_type(PoolType type)
{
    PoolDefinition pool = pool_definition("a-b");
    pool.type = type;
    if (type == PoolType::fs)
        pool.target = "/srv/files";
    return pool;
}

TEST(VolumeNames, MeanAPath)
{
    const Paths paths;
    EXPECT_EQ(layout_of(paths, of_type(PoolType::disk))->volume_path("md100p1"), "/dev/md100p1");
    EXPECT_EQ(layout_of(paths, of_type(PoolType::logical))->volume_path("web-1"), "/dev/a-b/web-1");
    EXPECT_EQ(layout_of(paths, of_type(PoolType::fs))->volume_path("x.img"), "/srv/files/x.img");
}

TEST(VolumeNames, AreFoundInAPath)
{
    const Paths paths;
    const PoolDefinition group = of_type(PoolType::logical);
    for (const char* path :
         {"/dev/a-b/web-1", "/dev/./a-b//web-1", "/dev/mapper/a--b-web--1", "/dev/zraid/a-b/web-1"})
        EXPECT_EQ(layout_of(paths, group)->volume_in_path(path), "web-1") << path;
    for (const char* path : {"/dev/a-b", "/dev/a-b/", "/dev/a-b/x/y", "/dev/zraid/a-b",
                             "/dev/zraid/a-b-web", "/dev/md100", "/srv/files/x"})
        EXPECT_EQ(layout_of(paths, group)->volume_in_path(path), std::nullopt) << path;
    const PoolDefinition files = of_type(PoolType::fs);
    EXPECT_EQ(layout_of(paths, files)->volume_in_path("/srv/files/x.img"), "x.img");
    EXPECT_EQ(layout_of(paths, files)->volume_in_path("/srv/files/../x.img"), std::nullopt);
    EXPECT_EQ(layout_of(paths, files)->volume_in_path("/srv/files"), std::nullopt);
    EXPECT_EQ(layout_of(paths, of_type(PoolType::disk))->volume_in_path("/dev/a-b/web-1"),
              std::nullopt);
}

TEST(VolumeNames, AreCheckedBeforeTheyAreUsed)
{
    for (const char* name : {"web", "web-1.img", "A_b+c"})
        EXPECT_EQ(failure([&] { check_chosen_name(name); }), "no error");
    for (const std::string& name : {std::string(), std::string("."), std::string("-x"),
                                    std::string("a/b"), std::string("a b"), std::string(101, 'x')})
        EXPECT_EQ(failure_code([&] { check_chosen_name(name); }), 2) << name;
    for (const char* name : {"", "..", "a/b"})
        EXPECT_EQ(
            failure([&] { layout_of(Paths(), of_type(PoolType::fs))->check_volume_name(name); }),
            std::string("there is no volume '") + name + "'. Next: zraid-pool vol-list a-b");
}

TEST(VolumeLink, LeadsToTheDevice)
{
    const FakeSystem system;
    const PoolDefinition group = of_type(PoolType::logical);
    const std::string link = system.paths.device("zraid/a-b/web");
    layout_of(system.paths, group)->make_volume_link(link);
    EXPECT_FALSE(std::filesystem::is_symlink(link)) << "there is no such volume";
    system.put("dev/dm-3", "");
    system.link("dev/a-b/web", "../dm-3");
    layout_of(system.paths, group)->make_volume_link(link);
    EXPECT_EQ(std::filesystem::read_symlink(link), "../../dm-3");
    layout_of(system.paths, group)->make_volume_link(link);
    layout_of(system.paths, of_type(PoolType::disk))
        ->make_volume_link(system.paths.device("zraid/a-b/x"));
    EXPECT_FALSE(std::filesystem::exists(system.paths.device("zraid/a-b/x")));
}

} // namespace
} // namespace zraid
