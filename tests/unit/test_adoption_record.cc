#include "pools/adoption_record.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/pool_definitions.h"
#include "util/size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace zraid {
namespace {

using test::failure;
using test::FakeSystem;
using ::testing::HasSubstr;

AdoptionRecord a_record()
{
    AdoptionRecord record;
    record.domain = "web";
    record.domain_uuid = Uuid::parse("3eebe2aa-a55c-4614-a67d-0cb27cf33310");
    record.target = "vda";
    record.image = "/i/web.img";
    record.size = 20 * MiB + 5;
    record.domain_xml = "<domain/>";
    record.disk_xml = "<disk/>";
    record.pool = test::pool_definition("web-vda");
    record.pool.image = "/i/web.img.zraid";
    record.pool.size = adopted_size(record.size);
    return record;
}

TEST(AdoptedSize, HasRoomForBothTablesAndWholeSectors)
{
    EXPECT_EQ(adopted_volume_size(20 * MiB), 20 * MiB);
    EXPECT_EQ(adopted_volume_size(20 * MiB + 1), 20 * MiB + 4096);
    EXPECT_EQ(adopted_size(20 * MiB), 23 * MiB);
    EXPECT_EQ(adopted_size(1), kMinImageSize);
}

TEST(AdoptionStore, GivesBackWhatWasSaved)
{
    const FakeSystem system;
    const AdoptionStore store(system.paths);
    EXPECT_FALSE(store.find("web", "vda"));
    AdoptionRecord record = a_record();
    store.save(record);
    EXPECT_TRUE(store.contains("web-vda"));
    EXPECT_EQ(store.load("web-vda"), record);
    record.phase = AdoptionPhase::releasing;
    store.save(record);
    EXPECT_EQ(store.find("web", "vda"), record);
    EXPECT_EQ(store.find(record.domain_uuid.text(), "vda"), record);
    EXPECT_FALSE(store.find("web", "vdb"));
    struct stat info = {};
    ASSERT_EQ(::stat((system.paths.etc / "adopted/web-vda.json").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    EXPECT_THAT(failure([&] { refuse_adopted(system.paths, "web-vda"); }),
                HasSubstr("Next: zraid-pool release web vda"));
    store.remove("web-vda");
    EXPECT_FALSE(store.contains("web-vda"));
    refuse_adopted(system.paths, "web-vda");
}

TEST(AdoptionRecord, TellsHowFarACopyIs)
{
    const FakeSystem system;
    AdoptionRecord record = a_record();
    record.way = AdoptionWay::copied;
    record.phase = AdoptionPhase::releasing;
    record.new_stamp = "18 4096 1.0";
    record.pool_stamp = "17 4096 1.0 2.0";
    EXPECT_EQ(parse_adoption_record(system.paths, to_json(record), "f.json"), record);
}

TEST(AdoptionRecord, KnowsTheLayoutOfAQcow2)
{
    const FakeSystem system;
    AdoptionRecord record = a_record();
    record.way = AdoptionWay::copied;
    record.format = "qcow2";
    record.qcow2 = {4096, "0.10", 16, false, false, "zlib"};
    EXPECT_EQ(parse_adoption_record(system.paths, to_json(record), "f.json"), record);
    record.qcow2.cluster_size = 7;
    EXPECT_THAT(failure([&] { parse_adoption_record(system.paths, to_json(record), "f.json"); }),
                HasSubstr("its qcow2 layout"));
}

TEST(AdoptionRecord, OfAnOlderVersionIsReadAsBefore)
{
    const FakeSystem system;
    const std::string text = to_json(a_record());
    EXPECT_EQ(text.find("new_stamp"), std::string::npos);
    const AdoptionRecord record = parse_adoption_record(system.paths, text, "f.json");
    EXPECT_EQ(record, a_record());
    EXPECT_EQ(record.way, AdoptionWay::inserted);
}

TEST(AdoptionRecord, IsCheckedWhenItIsRead)
{
    const FakeSystem system;
    const auto problem = [&](const AdoptionRecord& record) {
        return failure([&] { parse_adoption_record(system.paths, to_json(record), "f.json"); });
    };
    EXPECT_EQ(problem(a_record()), "no error");
    AdoptionRecord record = a_record();
    record.image = "web.img";
    EXPECT_THAT(problem(record), HasSubstr("f.json: its image is not as"));
    record.image = "/i/../web.img";
    EXPECT_THAT(problem(record), HasSubstr("its image"));
    record = a_record();
    record.pool.image = "/i/other.img";
    EXPECT_THAT(problem(record), HasSubstr("its pool"));
    record = a_record();
    record.size = MiB;
    EXPECT_THAT(problem(record), HasSubstr("its size"));
    record = a_record();
    record.target.clear();
    EXPECT_THAT(problem(record), HasSubstr("its target"));
    record = a_record();
    record.format = "vmdk";
    EXPECT_THAT(problem(record), HasSubstr("its format"));
    for (const std::string text : {"", "[]", "{}", "{\"domain\": 1}"})
        EXPECT_THAT(failure([&] { parse_adoption_record(system.paths, text, "f.json"); }),
                    HasSubstr("f.json: "));
    std::string text = to_json(a_record());
    text.replace(text.find("\"adopting\""), 10, "\"flying\"");
    EXPECT_THAT(failure([&] { parse_adoption_record(system.paths, text, "f.json"); }),
                HasSubstr("'flying' is no phase"));
}

TEST(AdoptionStore, RefusesWhatEverybodyMayWrite)
{
    const FakeSystem system;
    const AdoptionStore store(system.paths);
    store.save(a_record());
    ASSERT_EQ(::chmod((system.paths.etc / "adopted/web-vda.json").c_str(), 0666), 0);
    EXPECT_THAT(failure([&] { store.load("web-vda"); }), HasSubstr("written by everybody"));
}

} // namespace
} // namespace zraid
