#include "libvirt/domain_disk.h"
#include "libvirt/domains.h"
#include "support/failure.h"
#include "support/test_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using ::testing::HasSubstr;

TEST(Domains, AreFoundByNameAndUuid)
{
    const LibvirtDomains domains(test::kTestDriver);
    const auto domain = domains.find("test");
    ASSERT_TRUE(domain);
    EXPECT_EQ(domain->uuid, Uuid::parse(test::kTestDomain));
    EXPECT_TRUE(domain->running);
    EXPECT_TRUE(domain->persistent);
    EXPECT_FALSE(domain->saved);
    EXPECT_EQ(domain->snapshots, 0);
    EXPECT_THAT(domain->xml, HasSubstr("<name>test</name>"));
    EXPECT_EQ(domains.find(test::kTestDomain)->name, "test");
    EXPECT_FALSE(domains.find("other"));
    EXPECT_FALSE(domains.find("00000000-0000-0000-0000-000000000001"));
}

TEST(Domains, AreDefinedAnew)
{
    const LibvirtDomains domains(test::kTestDriver);
    domains.define("<domain type='test'><name>web</name><memory>8192</memory>"
                   "<os><type>hvm</type></os><devices><disk type='file' device='disk'>"
                   "<source file='/i/web.img'/><target dev='vda' bus='virtio'/></disk></devices>"
                   "</domain>");
    const auto web = domains.find("web");
    ASSERT_TRUE(web);
    EXPECT_FALSE(web->running);
    domains.define(move_disk_to_device(web->xml, "vda", "/dev/md100p1"));
    EXPECT_EQ(find_domain_disk(domains.find("web")->xml, "vda")->path, "/dev/md100p1");
    EXPECT_THAT(failure([&] { domains.define("<domain/>"); }),
                HasSubstr("libvirt: define the domain: "));
}

TEST(Domains, NeedTheDaemon)
{
    EXPECT_THAT(failure([] { LibvirtDomains domains(test::kNoDriver); }),
                HasSubstr("Next: start libvirt's daemon"));
}

} // namespace
} // namespace zraid
