#include "admin/zram_raid_config.h"
#include "support/failure.h"
#include "support/temporary_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace zraid {
namespace {

using test::failure;
using test::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ZramRaidConfig parse(const std::string& text)
{
    return parse_zram_raid_config(text, "zramraid.conf");
}

TEST(ZramRaidConfig, ReadsItsOwnForm)
{
    const ZramRaidConfig config = parse(R"({
        "info": "id - md[id]", "log": "/var/log/syslog",
        "limit_free_mem": {"info": "10-100%", "size": "90", "value_size": "%"},
        "md": [{"id": "1", "info": "'test disk 1'", "image": "/kvm/disk1.img"}]})");
    EXPECT_EQ(config.memory_limit, "90%");
    EXPECT_THAT(config.warnings, IsEmpty());
    ASSERT_EQ(config.arrays.size(), 1U);
    EXPECT_EQ(config.arrays[0].md_number, 1);
    EXPECT_EQ(config.arrays[0].image, "/kvm/disk1.img");
    EXPECT_EQ(config.arrays[0].info, "test disk 1");
    EXPECT_EQ(config.arrays[0].problem, "");
}

TEST(ZramRaidConfig, ReadsOtherFormsOfIdAndLimit)
{
    const ZramRaidConfig config = parse(R"({"limit_free_mem": "2048Kb",
        "md": [{"id": "md7", "image": "/a"}, {"id": 0, "image": "/b", "info": ""}]})");
    EXPECT_EQ(config.memory_limit, "2048KiB");
    ASSERT_EQ(config.arrays.size(), 2U);
    EXPECT_EQ(config.arrays[0].md_number, 7);
    EXPECT_EQ(config.arrays[1].md_number, 0);
    EXPECT_EQ(parse(R"({"limit_free_mem": "75%", "md": []})").memory_limit, "75%");
    EXPECT_EQ(parse(R"({"md": []})").memory_limit, "");
}

TEST(ZramRaidConfig, WarnsOfWhatItDoesNotTake)
{
    const ZramRaidConfig config = parse(R"({"colour": 1, "limit_free_mem": {"size": "90"},
        "md": [{"id": "1", "image": "/a", "speed": 3, "info": "a\u0001b"}]})");
    EXPECT_EQ(config.memory_limit, "");
    EXPECT_THAT(config.warnings,
                ElementsAre(HasSubstr("'colour'"), HasSubstr("limit_free_mem is neither"),
                            HasSubstr("md[0]: 'speed'"), HasSubstr("md[0]: its info")));
    for (const char* limit : {"90", "\"90\"", "\"101%\"", "\"0Kb\"", "\"-1%\"", "[]", "\"9 %\""})
        EXPECT_EQ(parse(fmt::format(R"({{"limit_free_mem": {}, "md": []}})", limit)).memory_limit,
                  "")
            << limit;
}

TEST(ZramRaidConfig, KeepsAWrongEntryWithItsProblem)
{
    const ZramRaidConfig config = parse(
        R"({"md": [{"id": "x1", "image": "/a"}, {"id": "2"}, 5, {"id": 2.5, "image": "/b"}]})");
    ASSERT_EQ(config.arrays.size(), 4U);
    for (const auto& array : config.arrays)
        EXPECT_EQ(array.md_number, -1);
    EXPECT_EQ(config.arrays[0].problem, "md[0]: 'x1' is no id of an array");
    EXPECT_EQ(config.arrays[1].problem, "md[1]: it has no image");
    EXPECT_EQ(config.arrays[2].problem, "md[2]: it is no object");
}

TEST(ZramRaidConfig, RefusesWhatIsNone)
{
    for (const char* text :
         {"", "memory-limit = 90%\n", "[]", "{}", R"({"md": {}})", R"({"md": [)"})
        EXPECT_THAT(failure([&] { parse(text); }),
                    HasSubstr("'zramraid.conf' is no configuration of ZRAM-RAID"))
            << text;
}

TEST(ZramRaidConfig, RefusesAFileThatEverybodyMayWrite)
{
    const TemporaryFolder folder;
    const std::string file = folder.put("zramraid.conf", R"({"md": []})");
    EXPECT_THAT(load_zram_raid_config(file).arrays, IsEmpty());
    ASSERT_EQ(::chmod(file.c_str(), 0666), 0);
    EXPECT_THAT(failure([&] { load_zram_raid_config(file); }), HasSubstr("zramraid.conf"));
    EXPECT_THAT(failure([&] { load_zram_raid_config(folder / "none"); }),
                HasSubstr("No such file"));
}

} // namespace
} // namespace zraid
