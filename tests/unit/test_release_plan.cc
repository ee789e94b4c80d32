#include "adoption/release.h"
#include "libvirt/domains.h"
#include "mirror/claims.h"
#include "pools/store.h"
#include "support/copied_record.h"
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
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A disk that was copied into its pool, and a domain that has the volume.
class PlanOfRelease : public ::testing::Test
{
protected:
    PlanOfRelease()
    {
        record.size = 8 * MiB;
        record.pool.image = system.put("web.img.zraid", "");
        record.pool.size = adopted_size(record.size);
        std::filesystem::resize_file(record.pool.image, record.pool.size);
        std::filesystem::rename(record.image, kept_image_path(record.image));
        record.phase = AdoptionPhase::adopted;
        record.disk_xml = "<disk type='file' device='disk'><source file='" + record.image +
                          "'/><target dev='vda' bus='virtio'/></disk>";
        define("block", "<source dev='" + record.device() + "'/>");
        record.domain_uuid = domains.find("web")->uuid;
        PoolStore(system.paths).save(record.pool);
        AdoptionStore(system.paths).save(record);
    }
    /// The domain with this source of its disk.
    void define(const std::string& type, const std::string& source)
    {
        domains.define("<domain type='test'><name>web</name>"
                       "<uuid>11111111-2222-3333-4444-555555555555</uuid><memory>1024</memory>"
                       "<os><type>hvm</type></os><devices><disk type='" +
                       type + "' device='disk'>" + source +
                       "<target dev='vda' bus='virtio'/><serial>S2</serial></disk></devices>"
                       "</domain>");
    }
    ReleasePlan plan() { return plan_release(admin, "web", "vda"); }
    std::string refusal()
    {
        return failure([&] { plan(); });
    }

    FakeSystem system;
    Admin admin{system.paths, test::kTestDriver};
    LibvirtDomains domains{test::kTestDriver};
    AdoptionRecord record = test::copied_record(system);
};

TEST_F(PlanOfRelease, TellsOfTheDiskAsItWillBeAndChangesNothing)
{
    const std::string before = domains.find("web")->xml;
    const ReleasePlan now = plan();
    EXPECT_EQ(now.record, record);
    EXPECT_FALSE(now.has_file);
    EXPECT_THAT(now.remarks, IsEmpty());
    EXPECT_THAT(now.disk, HasSubstr("file=\"" + record.image + "\""));
    EXPECT_THAT(now.disk, HasSubstr("<serial>S2</serial>")) << "what was changed since stays";
    EXPECT_EQ(domains.find("web")->xml, before);
    EXPECT_EQ(AdoptionStore(system.paths).load("web"), record);
    EXPECT_FALSE(std::filesystem::exists(record.image));
}

TEST_F(PlanOfRelease, SeesWhatIsLeftOfOneThatWasBegun)
{
    record.phase = AdoptionPhase::adopting;
    AdoptionStore(system.paths).save(record);
    EXPECT_TRUE(plan().has_file) << "the guest has never had the copy";
}

TEST_F(PlanOfRelease, LeavesADiskThatWasChangedSince)
{
    define("file", "<source file='/images/another.img'/>");
    EXPECT_THAT(plan().disk, HasSubstr("another.img"));
    EXPECT_THAT(plan().remarks, ElementsAre(HasSubstr("was changed since, it stays as it is")));
}

TEST_F(PlanOfRelease, HasTheRefusalsOfTheDeed)
{
    EXPECT_THAT(failure([&] { plan_release(admin, "web", "vdb"); }),
                HasSubstr("disk 'vdb' of domain 'web' was not adopted"));
    system.put("web.img", "");
    EXPECT_THAT(refusal(), HasSubstr("there is a file '" + record.image + "'"));
    system.remove("web.img");

    Claims(system.paths, "web").add({"web", Uuid::random()});
    EXPECT_EQ(refusal(), "no error") << "that domain does not run";
    Claims(system.paths, "web").add({"test", Uuid::parse(test::kTestDomain)});
    EXPECT_EQ(refusal(), "it is used by 'test'. Next: shut the domains down first");
    EXPECT_EQ(Claims(system.paths, "web").list().size(), 2U) << "not a claim was touched";
    Claims(system.paths, "web").remove(Uuid::parse(test::kTestDomain));

    record.pool.size += MiB;
    PoolStore(system.paths).save(record.pool);
    EXPECT_THAT(refusal(), HasSubstr("the pool was resized, or defined anew"));
}

} // namespace
} // namespace zraid
