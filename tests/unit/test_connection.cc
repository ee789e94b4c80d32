#include "libvirt/connection.h"
#include "support/failure.h"
#include "support/test_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class Connection : public ::testing::Test
{
protected:
    void define() const
    {
        libvirt_.define_pool("<pool type='disk'><name>vm</name>"
                             "<uuid>0123abcd-4567-89ef-fedc-ba9876543210</uuid>"
                             "<source><device path='/dev/md100'/><format type='gpt'/></source>"
                             "<target><path>/dev</path></target></pool>");
    }

    LibvirtConnection libvirt_{test::kTestDriver};
};

TEST_F(Connection, FindsPools)
{
    EXPECT_EQ(libvirt_.find_pool("vm").has_value(), false);
    const auto pool = libvirt_.find_pool("default-pool");
    ASSERT_TRUE(pool);
    EXPECT_TRUE(pool->active);
    EXPECT_FALSE(pool->autostart);
    EXPECT_NE(pool->uuid, Uuid());
}

TEST_F(Connection, DefinesStartsStopsAndUndefines)
{
    define();
    auto pool = libvirt_.find_pool("vm");
    ASSERT_TRUE(pool);
    EXPECT_EQ(pool->uuid.text(), "0123abcd-4567-89ef-fedc-ba9876543210");
    EXPECT_FALSE(pool->active);
    libvirt_.start_pool("vm");
    EXPECT_TRUE(libvirt_.find_pool("vm")->active);
    libvirt_.refresh_pool("vm");
    libvirt_.stop_pool("vm");
    EXPECT_FALSE(libvirt_.find_pool("vm")->active);
    libvirt_.undefine_pool("vm");
    EXPECT_EQ(libvirt_.find_pool("vm").has_value(), false);
}

TEST_F(Connection, ListsAndMakesVolumes)
{
    EXPECT_THAT(libvirt_.volumes("default-pool"), IsEmpty());
    const LibvirtVolume made = libvirt_.create_volume(
        "default-pool", "<volume><name>disk1</name><capacity unit='bytes'>16777216</capacity>"
                        "</volume>");
    EXPECT_EQ(made.name, "disk1");
    EXPECT_EQ(made.capacity, 16777216U);
    EXPECT_THAT(made.path, HasSubstr("disk1"));
    const auto volumes = libvirt_.volumes("default-pool");
    ASSERT_EQ(volumes.size(), 1U);
    EXPECT_EQ(volumes[0].name, "disk1");
    EXPECT_EQ(volumes[0].path, made.path);
    EXPECT_EQ(volumes[0].capacity, 16777216U);
}

TEST_F(Connection, ListsRunningDomains)
{
    EXPECT_THAT(libvirt_.running_domains(), Contains(Uuid::parse(test::kTestDomain)));
}

TEST_F(Connection, TellsWhatLibvirtSays)
{
    const auto storage = [](const std::string& what) {
        return AllOf(StartsWith("libvirt: " + what + ": "), HasSubstr("not found"),
                     Not(HasSubstr("\n")));
    };
    EXPECT_THAT(failure([&] { libvirt_.start_pool("none"); }), storage("find storage pool 'none'"));
    EXPECT_THAT(failure([&] { libvirt_.volumes("none"); }), storage("find storage pool 'none'"));
    EXPECT_THAT(failure([&] { libvirt_.start_pool("default-pool"); }),
                StartsWith("libvirt: start storage pool 'default-pool': "));
    EXPECT_THAT(failure([&] { libvirt_.undefine_pool("default-pool"); }),
                StartsWith("libvirt: undefine storage pool 'default-pool': "));
    EXPECT_THAT(failure([&] { libvirt_.define_pool("<pool"); }),
                StartsWith("libvirt: define the storage pool: "));
    EXPECT_THAT(failure([&] { libvirt_.create_volume("default-pool", "<volume/>"); }),
                StartsWith("libvirt: make a volume in 'default-pool': "));
}

TEST(ConnectionTest, SaysThatLibvirtCannotBeReached)
{
    ::testing::internal::CaptureStderr();
    const std::string text = failure([] { const LibvirtConnection none(test::kNoDriver); });
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "") << "libvirt prints nothing by itself";
    EXPECT_THAT(
        text, AllOf(StartsWith("libvirt: connect to qemu+unix:///system?socket=/no/such/socket: "),
                    HasSubstr("Next: start libvirt's daemon (systemctl start libvirtd), or "
                              "work without it where the command has --no-libvirt")));
    EXPECT_THAT(failure([] { const LibvirtConnection none("bogus://x/y"); }),
                StartsWith("libvirt: connect to bogus://x/y: "));
}

} // namespace
} // namespace zraid
