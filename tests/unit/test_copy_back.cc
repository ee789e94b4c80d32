#include "adoption/copy_back.h"
#include "devices/file_stamp.h"
#include "libvirt/domains.h"
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
using ::testing::HasSubstr;

/// A release was killed behind its copying; the new file has the old name.
class CopiedBack : public ::testing::Test
{
protected:
    CopiedBack()
    {
        record.phase = AdoptionPhase::releasing;
        system.put("web.img.zraid", "content of the pool");
        record.new_stamp = content_stamp(record.image);
        record.pool_stamp = file_stamp(record.pool.image);
    }
    bool is_back() { return is_copied_back(admin, record); }
    std::string problem()
    {
        return failure([&] { is_back(); });
    }
    /// The domain's disk is this device by now.
    void define(const std::string& device)
    {
        domains.define("<domain type='test'><name>web</name><memory>1024</memory>"
                       "<os><type>hvm</type></os><devices><disk type='block' device='disk'>"
                       "<source dev='" +
                       device + "'/><target dev='vda' bus='virtio'/></disk></devices></domain>");
        record.domain_uuid = domains.find("web")->uuid;
    }

    FakeSystem system;
    Admin admin{system.paths, test::kTestDriver};
    LibvirtDomains domains{test::kTestDriver};
    AdoptionRecord record = test::copied_record(system);
};

TEST_F(CopiedBack, IsTheFileThatTheReleaseMade)
{
    EXPECT_TRUE(is_back());
    system.put("other", "content");
    std::filesystem::rename(record.image, system / "away");
    EXPECT_FALSE(is_back());
    std::filesystem::rename(system / "other", record.image);
    EXPECT_THAT(problem(), HasSubstr("there is a file"));
}

TEST_F(CopiedBack, IsNoFileThatIsThereBeforeARelease)
{
    record.phase = AdoptionPhase::adopted;
    record.new_stamp.clear();
    EXPECT_THAT(problem(), HasSubstr("there is a file '" + record.image + "'. Next: move it away"));
}

TEST_F(CopiedBack, IsOlderThanAPoolThatWasWrittenTo)
{
    define("/dev/md100p1");
    EXPECT_TRUE(is_back());
    system.put("web.img.zraid", "what the guest wrote");
    EXPECT_FALSE(is_back());
    system.put("web.img", "somebody else too");
    EXPECT_THAT(problem(), HasSubstr("is not as a release that was killed left it"));
}

TEST_F(CopiedBack, IsTheDiskOnceTheDomainHasIt)
{
    define("/dev/other");
    system.put("web.img.zraid", "assembled at a boot");
    system.put("web.img", "what the guest wrote");
    EXPECT_TRUE(is_back());
}

TEST_F(CopiedBack, IsTheDiskOnceThePoolIsGone)
{
    std::filesystem::remove(record.pool.image);
    system.put("web.img", "what the guest wrote");
    EXPECT_TRUE(is_back());
}

} // namespace
} // namespace zraid
