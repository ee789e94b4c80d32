#include "admin/libvirt_pool.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/pool_definitions.h"
#include "support/test_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::FakeSystem;
using test::pool_definition;
using ::testing::HasSubstr;

class LibvirtPoolTest : public ::testing::Test
{
protected:
    LibvirtPoolTest()
    {
        pool_.settings.libvirt = true;
        pool_.settings.autostart = false; // the test driver has no file to mark
    }

    FakeSystem system_;
    Admin admin_{system_.paths, test::kTestDriver};
    LibvirtConnection libvirt_{test::kTestDriver};
    PoolDefinition pool_ = pool_definition();
};

TEST_F(LibvirtPoolTest, IsDefinedAndStarted)
{
    register_pool(admin_, libvirt_, pool_);
    const auto found = libvirt_.find_pool("vm");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->uuid, pool_.uuid);
    EXPECT_TRUE(found->active);
    EXPECT_EQ(failure([&] { register_pool(admin_, libvirt_, pool_); }), "no error")
        << "again: nothing to do";
}

TEST_F(LibvirtPoolTest, IsStartedWhereItIsOnlyDefined)
{
    register_pool(admin_, libvirt_, pool_);
    EXPECT_TRUE(deactivate_pool(libvirt_, pool_));
    EXPECT_FALSE(deactivate_pool(libvirt_, pool_));
    EXPECT_FALSE(libvirt_.find_pool("vm")->active);
    register_pool(admin_, libvirt_, pool_);
    EXPECT_TRUE(libvirt_.find_pool("vm")->active);
}

TEST_F(LibvirtPoolTest, IsForgotten)
{
    register_pool(admin_, libvirt_, pool_);
    unregister_pool(libvirt_, pool_);
    EXPECT_EQ(libvirt_.find_pool("vm").has_value(), false);
    EXPECT_EQ(failure([&] { unregister_pool(libvirt_, pool_); }), "no error") << "again";
}

TEST_F(LibvirtPoolTest, OfSomebodyElseIsLeftAlone)
{
    pool_.name = "default-pool";
    const std::string text = "libvirt has another storage pool 'default-pool' already. Next: "
                             "choose another name, or --no-libvirt";
    EXPECT_EQ(failure([&] { refuse_foreign_pool(libvirt_, pool_); }), text);
    EXPECT_EQ(failure([&] { register_pool(admin_, libvirt_, pool_); }), text);
    EXPECT_FALSE(deactivate_pool(libvirt_, pool_));
    unregister_pool(libvirt_, pool_);
    EXPECT_TRUE(libvirt_.find_pool("default-pool")->active);
}

TEST_F(LibvirtPoolTest, IsTakenAwayAgainWhenTheTemplateChangesIt)
{
    system_.put("etc/xml-templates/pool-disk.xml",
                "<pool type='disk'><name>@NAME@</name><source><device path='@DEVICE@'/>"
                "</source><target><path>/dev</path></target></pool>");
    EXPECT_EQ(failure([&] { register_pool(admin_, libvirt_, pool_); }),
              "the pool template changes the pool's name or UUID. Next: keep @NAME@ and @UUID@ in "
              "it");
    EXPECT_EQ(libvirt_.find_pool("vm").has_value(), false);
}

TEST_F(LibvirtPoolTest, IsTakenAwayAgainWhenAutostartFails)
{
    pool_.settings.autostart = true;
    const std::string text = failure([&] { register_pool(admin_, libvirt_, pool_); });
    if (text == "no error")
        EXPECT_TRUE(libvirt_.find_pool("vm")->autostart);
    else
        EXPECT_EQ(libvirt_.find_pool("vm").has_value(), false);
}

TEST_F(LibvirtPoolTest, IsNotMadeOfABrokenTemplate)
{
    system_.put("etc/xml-templates/pool-disk.xml", "<pool>@COLOUR@</pool>");
    EXPECT_THAT(failure([&] { register_pool(admin_, libvirt_, pool_); }),
                HasSubstr("unknown key @COLOUR@"));
    EXPECT_EQ(libvirt_.find_pool("vm").has_value(), false);
}

} // namespace
} // namespace zraid
