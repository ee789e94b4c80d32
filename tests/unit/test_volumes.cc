#include "admin/volumes.h"
#include "pools/stable_name.h"
#include "pools/store.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/pool_definitions.h"
#include "support/test_driver.h"
#include "util/size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::failure_code;
using test::FakeSystem;
using test::pool_definition;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

/// A pool "vm" that runs as far as sysfs tells, and a libvirt pool of its name.
class Volumes : public ::testing::Test
{
protected:
    Volumes()
    {
        pool_.settings.libvirt = true;
        PoolStore(system_.paths).save(pool_);
        system_.put_tree("md100-disk-only.tree", "sys/block/md100");
        libvirt_.define_pool("<pool type='dir'><name>vm</name><target><path>/dev</path></target>"
                             "</pool>");
        libvirt_.start_pool("vm");
    }
    ~Volumes() override { libvirt_.stop_pool("vm"); }

    FakeSystem system_;
    Admin admin_{system_.paths, test::kTestDriver};
    LibvirtConnection libvirt_{test::kTestDriver};
    PoolDefinition pool_ = pool_definition();
};

TEST_F(Volumes, AreMadeUnderTheNextNumber)
{
    EXPECT_THAT(list_volumes(admin_, "vm"), IsEmpty());
    const LibvirtVolume first = create_volume(admin_, "vm", 16 * MiB);
    EXPECT_EQ(first.name, "md100p1");
    EXPECT_EQ(first.capacity, 16 * MiB);
    EXPECT_EQ(create_volume(admin_, "vm", 16 * MiB).name, "md100p2");
    EXPECT_EQ(list_volumes(admin_, "vm").size(), 2U);
}

TEST_F(Volumes, AreNotMadeUnderANumberThatTheKernelHas)
{
    system_.put("sys/block/md100/md100p1/partition", "1\n");
    system_.put("sys/block/md100/md100p3/partition", "3\n");
    EXPECT_EQ(create_volume(admin_, "vm", 16 * MiB).name, "md100p2");
    EXPECT_EQ(create_volume(admin_, "vm", 16 * MiB).name, "md100p4");
}

TEST_F(Volumes, AreNotTooSmall)
{
    EXPECT_EQ(failure([&] { create_volume(admin_, "vm", MiB / 2); }),
              "512 KiB is too small for a volume. Next: give at least 1M");
    EXPECT_EQ(failure([&] { create_volume(admin_, "vm", 0); }),
              "0 B is too small for a volume. Next: give at least 1M");
    EXPECT_EQ(failure_code([&] { create_volume(admin_, "vm", 0); }), 2);
    EXPECT_THAT(list_volumes(admin_, "vm"), IsEmpty());
}

TEST_F(Volumes, NeedThePoolInLibvirt)
{
    pool_.settings.libvirt = false;
    PoolStore(system_.paths).save(pool_);
    const std::string text = "it is not registered with libvirt. Next: make and delete partitions "
                             "of /dev/md100 with parted";
    EXPECT_EQ(failure([&] { create_volume(admin_, "vm", MiB); }), text);
    EXPECT_EQ(failure([&] { list_volumes(admin_, "vm"); }), text);
    EXPECT_EQ(failure([&] { delete_volume(admin_, "vm", "md100p1"); }), text);
}

TEST_F(Volumes, NeedTheArray)
{
    system_.remove("sys/block/md100");
    const std::string text = "its array is not there. Next: zraid-pool start vm";
    EXPECT_EQ(failure([&] { create_volume(admin_, "vm", MiB); }), text);
    EXPECT_EQ(failure([&] { list_volumes(admin_, "vm"); }), text);
    EXPECT_EQ(failure([&] { delete_volume(admin_, "vm", "md100p1"); }), text);
}

TEST_F(Volumes, HaveTheNamesOfThePoolsPartitions)
{
    for (const std::string name : {"", "p1", "md100", "md100p", "md100p0", "md100p-1", "md100p1x",
                                   "md101p1", "/dev/md100p1", "md100p99999999999"}) {
        const std::string text = "there is no volume '" + name +
                                 "': this pool's are named md100p1, md100p2, …. Next: zraid-pool "
                                 "vol-list vm";
        EXPECT_EQ(failure([&] { delete_volume(admin_, "vm", name); }), text);
        EXPECT_EQ(failure([&] { volume_disk_xml(admin_, "vm", name, "vda"); }), text);
    }
}

TEST_F(Volumes, AreGivenToADomainAsBlockDevices)
{
    EXPECT_THAT(volume_disk_xml(admin_, "vm", "md100p1", "vdc"),
                ::testing::AllOf(
                    StartsWith("<disk type=\"block\""),
                    HasSubstr("<source dev=\"" + stable_path(admin_.paths, "vm", "md100p1") + "\""),
                    HasSubstr("<target dev=\"vdc\"")));
}

TEST_F(Volumes, SayThatThereIsNoPool)
{
    EXPECT_THAT(failure([&] { list_volumes(admin_, "other"); }),
                StartsWith("there is no pool 'other'"));
}

} // namespace
} // namespace zraid
