#include "admin/report.h"
#include "devices/zram.h"
#include "mirror/ram_leg.h"
#include "pools/store.h"
#include "support/pool_definitions.h"
#include "support/saved_pool.h"
#include "util/size.h"

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::pool_definition;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Json = nlohmann::ordered_json; // to read what is written

std::vector<std::string> keys(const Json& json)
{
    std::vector<std::string> keys;
    for (const auto& [key, value] : json.items())
        keys.push_back(key);
    return keys;
}

template <typename Report>
Json written(const Report& report)
{
    return Json::parse(to_json(report).dump(2));
}

class Report : public test::SavedPool
{
protected:
    Report()
    {
        pool_.settings.description = "mail";
        save();
        system_.put_all(
            "sys/block/zram0",
            {{"comp_algorithm", "lzo [lzo-rle] lz4"},
             {"disksize", "67108864"},
             {"diskseq", "13"},
             {"mm_stat", "66068480 8388874 8413184 33554432 8413184 14080 0 2048 2048"}});
        system_.put("proc/meminfo", "MemTotal: 4194304 kB\nMemAvailable: 1024000 kB\n");
    }
    Json json() const { return written(report_pool(admin_, "vm")); }
};

TEST_F(Report, HasTheFieldsOfTheInterface)
{
    put_array("md100-mirrored.tree");
    const Json report = json();
    for (const char* key : {"name", "uuid", "type", "image", "size_bytes", "md", "state",
                            "fill_percent", "ram", "disk", "users"})
        EXPECT_TRUE(report.contains(key)) << key;
    EXPECT_THAT(keys(report), ElementsAre("name", "uuid", "description", "type", "target", "image",
                                          "image_type", "size_bytes", "md", "state", "fill_percent",
                                          "fill_left_bytes", "fill_seconds_left", "attach",
                                          "required", "libvirt", "autostart", "bitmap_chunk_bytes",
                                          "writes", "compressor", "recompressor", "ram_limit_bytes",
                                          "trouble", "attach_problem", "ram", "disk", "users"));
    EXPECT_THAT(keys(report["ram"]),
                ElementsAre("device", "in_sync", "failed", "fill", "compressor", "limit_bytes",
                            "data_bytes", "stored_bytes", "table_bytes"));
    EXPECT_THAT(keys(report["disk"]),
                ElementsAre("device", "in_sync", "failed", "direct_io", "in_doubt", "doubt"));
}

TEST_F(Report, TellsOfAMirroredPool)
{
    put_array("md100-mirrored.tree");
    RamLegRecord{"zram0", "13", 99, "sparse"}.save(system_.paths, "vm");
    Claims(system_.paths, "vm").add({"web", Uuid::parse("11111111-1111-1111-1111-111111111111")});
    EXPECT_EQ(json(), Json::parse(R"({
        "name": "vm",
        "uuid": "0123abcd-4567-89ef-fedc-ba9876543210",
        "description": "mail",
        "type": "disk",
        "target": null,
        "image": ")" + pool_.image +
                                  R"(",
        "image_type": "file",
        "size_bytes": 67108864,
        "md": "/dev/md100",
        "state": "mirrored",
        "fill_percent": null,
        "fill_left_bytes": null,
        "fill_seconds_left": null,
        "attach": "on-demand",
        "required": false,
        "libvirt": false,
        "autostart": true,
        "bitmap_chunk_bytes": 4194304,
        "writes": "cached",
        "compressor": null,
        "recompressor": null,
        "ram_limit_bytes": null,
        "trouble": null,
        "attach_problem": null,
        "ram": {"device": "/dev/zram0", "in_sync": true, "failed": false, "fill": "sparse", "compressor": "lzo-rle",
                "limit_bytes": 33554432, "data_bytes": 66068480, "stored_bytes": 8413184,
                "table_bytes": 393216},
        "disk": {"device": "/dev/loop0", "in_sync": true, "failed": false, "direct_io": false, "in_doubt": false, "doubt": null},
        "users": [{"name": "web", "uuid": "11111111-1111-1111-1111-111111111111"}]})"));
}

TEST_F(Report, TellsOfEveryState)
{
    struct Case
    {
        const char* recording;
        const char* state;
    };
    for (const Case& c : std::vector<Case>{{"md100-disk-only.tree", "disk-only"},
                                           {"md100-filling.tree", "filling"},
                                           {"md100-mirrored.tree", "mirrored"},
                                           {"md100-disk-faulty.tree", "ram-only"},
                                           {"md100-ram-only.tree", "ram-only"},
                                           {"md100-ram-faulty.tree", "disk-only"}}) {
        put_array(c.recording);
        EXPECT_EQ(json()["state"], c.state) << c.recording;
    }
    system_.remove("sys/block/md100");
    EXPECT_EQ(json()["state"], "inactive");
}

TEST_F(Report, KeepsNumbersAndNulls)
{
    put_array("md100-filling.tree");
    Json report = json();
    EXPECT_NEAR(report["fill_percent"].get<double>(), 2.18, 0.01);
    EXPECT_EQ(report["ram"]["fill"], nullptr) << "not known yet";
    EXPECT_EQ(report["ram"]["in_sync"], false);
    put_array("md100-disk-only.tree");
    report = json();
    EXPECT_EQ(report["ram"], nullptr);
    EXPECT_EQ(report["fill_percent"], nullptr);
    EXPECT_EQ(report["users"], Json::array());
    put_array("md100-ram-only.tree");
    EXPECT_EQ(json()["disk"], nullptr);
    pool_.settings.ram_limit = 32 * MiB;
    save();
    EXPECT_EQ(json()["ram_limit_bytes"], 33554432);
}

TEST_F(Report, TellsOfLostLegs)
{
    put_array("md100-ram-faulty.tree");
    EXPECT_EQ(json()["ram"]["failed"], true);
    EXPECT_EQ(json()["ram"]["in_sync"], false);
    put_array("md100-disk-faulty.tree");
    EXPECT_EQ(json()["disk"]["in_sync"], false);
    EXPECT_EQ(json()["disk"]["failed"], true);
}

TEST_F(Report, TellsWhatThePoolIsDefinedWith)
{
    pool_.settings.compressor = "zstd";
    save();
    put_array("md100-mirrored.tree");
    EXPECT_EQ(json()["compressor"], "zstd");
    EXPECT_EQ(json()["ram"]["compressor"], "lzo-rle") << "what the device has";
}

TEST_F(Report, TellsWhyThereIsNoRamLeg)
{
    put_array("md100-disk-only.tree");
    system_.put("run/problems/vm.txt", "make the RAM leg: no memory\n");
    EXPECT_EQ(json()["attach_problem"], "make the RAM leg: no memory");
}

TEST_F(Report, TellsOfABrokenDefinitionBesideTheOthers)
{
    system_.put("etc/pools/broken.xml", "<zraidpool>\n");
    const auto reports = report_all(admin_);
    ASSERT_EQ(reports.size(), 2U);
    EXPECT_THAT(reports[0].problem, HasSubstr("broken.xml:"));
    const Json broken = written(reports[0]);
    EXPECT_THAT(keys(broken), ElementsAre("name", "state", "problem"));
    EXPECT_EQ(broken["name"], "broken");
    EXPECT_EQ(broken["state"], nullptr);
    EXPECT_EQ(written(reports[1])["name"], "vm");
}

TEST_F(Report, CountsTheMemory)
{
    put_array("md100-mirrored.tree");
    RamLegRecord{"zram0", "13", 70 * MiB, "sparse"}.save(system_.paths, "vm");
    PoolDefinition large = pool_definition("large");
    large.md_number = 101;
    large.size = TiB;
    PoolStore(system_.paths).save(large);
    PoolDefinition small = pool_definition("small");
    small.md_number = 102;
    PoolStore(system_.paths).save(small);
    system_.put("etc/pools/broken.xml", "<zraidpool>\n");

    const BudgetReport budget = report_budget(admin_);
    EXPECT_EQ(budget.memory.total, 4 * GiB);
    const std::uint64_t table = zram_table_bytes(64 * MiB);
    EXPECT_EQ(budget.room, 1000 * MiB / 100 * 90 - (70 * MiB - table - 8413184));
    ASSERT_EQ(budget.pools.size(), 3U);
    EXPECT_EQ(written(budget)["pools"], Json::parse(R"([
        {"name": "large", "state": "inactive", "table_bytes": 0, "stored_bytes": 0,
         "worst_bytes": 1105954078720, "fits": false},
        {"name": "small", "state": "inactive", "table_bytes": 0, "stored_bytes": 0,
         "worst_bytes": 67502080, "fits": true},
        {"name": "vm", "state": "mirrored", "table_bytes": 393216, "stored_bytes": 8413184,
         "worst_bytes": 67502080, "fits": true}])"));
    EXPECT_THAT(keys(written(budget)),
                ElementsAre("mem_total_bytes", "mem_available_bytes", "room_bytes", "pools"));
}

} // namespace
} // namespace zraid
