#include "adoption/adopt.h"
#include "devices/file_stamp.h"
#include "libvirt/domains.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/test_driver.h"
#include "util/size.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::FakeSystem;
using ::testing::HasSubstr;

class AdoptionPlanTest : public ::testing::Test
{
protected:
    AdoptionPlanTest()
    {
        std::filesystem::resize_file(image, 20 * MiB);
        domains.define("<domain type='test'><name>web</name><memory>1024</memory>"
                       "<os><type>hvm</type></os><devices><disk type='file' device='disk'>"
                       "<source file='" +
                       image + "'/><target dev='vda' bus='virtio'/></disk></devices></domain>");
        request.domain = "web";
        request.target = "vda";
        request.copy = true;
    }

    FakeSystem system;
    Admin admin{system.paths, test::kTestDriver};
    LibvirtDomains domains{test::kTestDriver};
    std::string image = system.put("web.img", std::string(100'000, 'a'));
    AdoptRequest request;
};

TEST_F(AdoptionPlanTest, TellsOfACopyAndChangesNothing)
{
    const std::string stamp = file_stamp(image);
    const AdoptionPlan plan = plan_adoption(admin, request);
    EXPECT_EQ(plan.record.pool.name, "web-vda");
    EXPECT_EQ(plan.record.pool.md_number, 100);
    EXPECT_EQ(plan.record.pool.image, image + ".zraid");
    EXPECT_EQ(plan.record.size, 20 * MiB);
    EXPECT_EQ(plan.record.way, AdoptionWay::copied);
    EXPECT_FALSE(plan.is_begun);
    EXPECT_GT(plan.to_copy, 100'000U);
    EXPECT_LT(plan.to_copy, MiB);
    EXPECT_THAT(plan.record.disk_xml, HasSubstr("file=\"" + image + "\""));
    EXPECT_THAT(plan.new_disk, HasSubstr("<source dev=\"/dev/md100p1\""));
    EXPECT_EQ(file_stamp(image), stamp);
    EXPECT_FALSE(std::filesystem::exists(image + ".zraid"));
    EXPECT_FALSE(std::filesystem::exists(system.paths.etc));
    EXPECT_FALSE(std::filesystem::exists(system.paths.run));
}

TEST_F(AdoptionPlanTest, GoesOnWithWhatWasBegun)
{
    AdoptionRecord record = plan_adoption(admin, request).record;
    AdoptionStore(admin.paths).save(record);
    const AdoptionPlan plan = plan_adoption(admin, request);
    EXPECT_TRUE(plan.is_begun);
    EXPECT_EQ(plan.record, record);
    request.pool.name = "other";
    EXPECT_THAT(failure([&] { plan_adoption(admin, request); }),
                HasSubstr("it is on pool 'web-vda' already"));
    request.pool.name.clear();
    record.phase = AdoptionPhase::releasing;
    AdoptionStore(admin.paths).save(record);
    EXPECT_THAT(failure([&] { plan_adoption(admin, request); }),
                HasSubstr("its release was begun"));
}

TEST_F(AdoptionPlanTest, HasTheRefusalsOfTheDeed)
{
    request.domain = "none";
    EXPECT_THAT(failure([&] { plan_adoption(admin, request); }),
                HasSubstr("there is no domain 'none'"));
    request.domain = "web";
    request.convert = true;
    EXPECT_THAT(failure([&] { plan_adoption(admin, request); }),
                HasSubstr("disk 'vda' of domain 'web' is raw"));
}

} // namespace
} // namespace zraid
