#include "adoption/adoptable.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/test_driver.h"
#include "util/fd.h"
#include "util/process.h"
#include "util/size.h"

#include <filesystem>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::FakeSystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Adoptable : public ::testing::Test
{
protected:
    std::string problem(const std::string& disk)
    {
        domain_.xml = "<domain><devices>" + disk + "</devices></domain>";
        return failure(
            [&] { find_adoptable_disk(admin_, libvirt_, domain_, "vda", way_, convert_); });
    }
    std::string file(const std::string& path) const
    {
        return "<disk type='file'><source file='" + path + "'/><target dev='vda'/></disk>";
    }

    FakeSystem system_;
    Admin admin_{system_.paths, test::kTestDriver};
    LibvirtConnection libvirt_{test::kTestDriver};
    bool convert_ = false;
    AdoptionWay way_ = AdoptionWay::inserted;
    LibvirtDomain domain_{"web", Uuid(), false, true, false, 0, ""};
    std::string image_ = system_.put("web.img", "content");
};

TEST_F(Adoptable, IsARawFile)
{
    domain_.xml = "<domain><devices>" + file(system_.link("link", image_)) + "</devices></domain>";
    const AdoptableDisk disk =
        find_adoptable_disk(admin_, libvirt_, domain_, "vda", way_, convert_);
    EXPECT_EQ(disk.image, image_);
    EXPECT_EQ(disk.size, 7U);
}

TEST_F(Adoptable, IsNoOtherKindOfDisk)
{
    EXPECT_THAT(problem(""), HasSubstr("domain 'web' has no disk 'vda'"));
    EXPECT_THAT(problem("<disk type='file' device='cdrom'><target dev='vda'/></disk>"),
                HasSubstr("disk 'vda' of domain 'web' is a cdrom"));
    EXPECT_THAT(problem("<disk type='network'><target dev='vda'/></disk>"),
                HasSubstr("is of type 'network'"));
    EXPECT_THAT(problem("<disk type='volume'><target dev='vda'/></disk>"),
                HasSubstr("is a volume of a storage pool"));
    EXPECT_THAT(problem("<disk type='block'><source dev='/dev/sda'/><target dev='vda'/></disk>"),
                HasSubstr("is a block device"));
    EXPECT_THAT(problem("<disk type='block'><source dev='/dev/zraid/a-md1p1'/>"
                        "<target dev='vda'/></disk>"),
                HasSubstr("is on '/dev/zraid/a-md1p1' already"));
    EXPECT_THAT(problem("<disk type='file'><driver type='qcow2'/><target dev='vda'/></disk>"),
                HasSubstr("is qcow2, not raw"));
    EXPECT_THAT(problem("<disk type='file'><shareable/><target dev='vda'/></disk>"),
                HasSubstr("disk 'vda' of domain 'web' is shared"));
}

TEST_F(Adoptable, IsAQcow2IfItMayBeConverted)
{
    const std::string image = system_ / "a.qcow2";
    run({{"qemu-img", "create", "-q", "-f", "qcow2", "-o", "cluster_size=4096", image, "3M"}});
    const std::string disk = "<disk type='file'><driver type='qcow2'/><source file='" + image +
                             "'/><target dev='vda'/></disk>";
    EXPECT_THAT(problem(disk),
                AllOf(HasSubstr("is qcow2, not raw. Next: --convert copies it into a raw image and "
                                "keeps it, for which '" +
                                system_.path().string() + "' needs "),
                      HasSubstr("MiB of room")));
    way_ = AdoptionWay::copied;
    convert_ = true;
    EXPECT_EQ(problem(disk), "no error");
    const AdoptableDisk found =
        find_adoptable_disk(admin_, libvirt_, domain_, "vda", way_, convert_);
    EXPECT_EQ(found.format, "qcow2");
    EXPECT_EQ(found.size, 3 * MiB);
    EXPECT_EQ(found.qcow2.cluster_size, 4096U);
    EXPECT_THAT(problem(file(image_)), HasSubstr("is raw: there is nothing to convert"));
    run({{"qemu-img", "snapshot", "-c", "s", image}});
    EXPECT_THAT(problem(disk), HasSubstr("disk 'vda' of domain 'web' has internal snapshots"));
}

TEST_F(Adoptable, IsAFileOfOneName)
{
    EXPECT_THAT(problem(file("/no/such/file")), HasSubstr("open '/no/such/file'"));
    EXPECT_THAT(problem(file(system_.folder("folder"))), HasSubstr("is no regular file"));
    EXPECT_THAT(problem(file(system_.put("empty", ""))), HasSubstr("is empty"));
    system_.put("web.img.zraid", "x");
    EXPECT_THAT(problem(file(image_)), HasSubstr("there is a file"));
    std::filesystem::create_hard_link(image_, system_ / "second");
    EXPECT_THAT(problem(file(image_)), HasSubstr("a hard link"));
}

TEST_F(Adoptable, HasTheNamesFreeThatItsCopyNeeds)
{
    way_ = AdoptionWay::copied;
    for (const std::string ending : {".zraid", ".zraid-new", ".before-zraid"}) {
        const std::string taken = system_.put("web.img" + ending, "x");
        EXPECT_THAT(problem(file(image_)), HasSubstr("there is a file '" + taken + "'"));
        std::filesystem::remove(taken);
    }
    EXPECT_EQ(problem(file(image_)), "no error");
    const UniqueFd other = open_file(image_, O_RDONLY);
    EXPECT_THAT(problem(file(image_)), HasSubstr("is in use"));
}

TEST_F(Adoptable, IsNoDiskThatIsInUse)
{
    const auto with = [&](auto change) {
        LibvirtDomain domain = domain_;
        change(domain);
        return failure([&] { refuse_domain_state(domain); });
    };
    EXPECT_EQ(with([](LibvirtDomain&) {}), "no error");
    EXPECT_THAT(with([](LibvirtDomain& d) { d.running = true; }), HasSubstr("'web' runs"));
    EXPECT_THAT(with([](LibvirtDomain& d) { d.saved = true; }), HasSubstr("is saved"));
    EXPECT_THAT(with([](LibvirtDomain& d) { d.snapshots = 1; }), HasSubstr("has snapshots"));
    EXPECT_THAT(with([](LibvirtDomain& d) { d.persistent = false; }), HasSubstr("not defined"));
}

} // namespace
} // namespace zraid
