#include "libvirt/domain_disk.h"
#include "support/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using ::testing::HasSubstr;
using ::testing::Not;

std::string domain_with(const std::string& disk)
{
    return "<domain type='kvm'><name>web</name><metadata><a:b xmlns:a='u'> <c/>text</a:b>"
           "</metadata><description>two\n  lines &lt;</description><devices>"
           "<disk type='file' device='cdrom'><target dev='sda'/></disk>" +
           disk + "</devices></domain>";
}

std::string disk(const std::string& inside, const std::string& driver = "<driver name='qemu'/>")
{
    return "<disk type='file' device='disk'>" + driver + "<source file='/i/web.img'/>" +
           "<target dev='vda' bus='virtio'/>" + inside + "</disk>";
}

DomainDisk found(const std::string& inside)
{
    return find_domain_disk(domain_with(disk(inside)), "vda").value();
}

TEST(DomainDisk, IsFoundByItsTarget)
{
    const DomainDisk plain = found("<serial>1</serial>");
    EXPECT_EQ(plain.type, "file");
    EXPECT_EQ(plain.device, "disk");
    EXPECT_EQ(plain.format, "raw");
    EXPECT_EQ(plain.path, "/i/web.img");
    EXPECT_EQ(plain.obstacle, "");
    EXPECT_EQ(find_domain_disk(domain_with(disk("")), "sda")->device, "cdrom");
    EXPECT_FALSE(find_domain_disk(domain_with(disk("")), "vdb"));
    EXPECT_THAT(failure([] { find_domain_disk("<pool/>", "vda"); }), HasSubstr("is broken"));
}

TEST(DomainDisk, HasObstacles)
{
    EXPECT_EQ(found("<shareable/>").obstacle, "is shared");
    EXPECT_EQ(found("<readonly/>").obstacle, "is read-only");
    EXPECT_EQ(found("<transient/>").obstacle, "is transient");
    EXPECT_EQ(found("<encryption format='luks'/>").obstacle, "is encrypted by libvirt");
    EXPECT_EQ(found("<backingStore type='file'><source file='/i/base'/></backingStore>").obstacle,
              "has a backing chain");
    EXPECT_EQ(found("<backingStore/>").obstacle, "");
}

TEST(DomainDisk, MovesToADevice)
{
    const std::string old =
        disk("<boot order='1'/><serial>S</serial><alias name='ua-1'/>",
             "<driver name='qemu' cache='writeback' queues='4' discard='ignore'/>");
    const std::string moved = move_disk_to_device(domain_with(old), "vda", "/dev/md100p1");
    EXPECT_THAT(moved, HasSubstr(R"(<disk type="block" device="disk">)"));
    EXPECT_THAT(moved, HasSubstr(R"(<source dev="/dev/md100p1"/>)"));
    for (const char* part : {R"(cache="none")", R"(io="native")", R"(queues="4")", R"(type="raw")",
                             R"(discard="ignore")", R"(detect_zeroes="unmap")",
                             R"(<boot order="1"/><serial>S</serial><alias name="ua-1"/>)",
                             R"(<target dev="vda" bus="virtio"/>)",
                             R"(<a:b xmlns:a="u"> <c/>text</a:b>)", "two\n  lines &lt;"})
        EXPECT_THAT(moved, HasSubstr(part));
    EXPECT_THAT(moved, Not(HasSubstr("file=")));
}

TEST(DomainDisk, ComesBack)
{
    const std::string old = disk("<serial>S</serial>", "<driver name='qemu' cache='writeback'/>");
    const std::string before = domain_with(old);
    const std::string moved = move_disk_to_device(before, "vda", "/dev/md100p1");
    const std::string back = move_disk_back(moved, "vda", old, "/dev/md100p1");
    // As a document; quotes are the writer's.
    EXPECT_EQ(find_domain_disk(back, "vda")->xml, find_domain_disk(before, "vda")->xml);
    EXPECT_EQ(find_domain_disk(back, "vda")->path, "/i/web.img");
}

TEST(DomainDisk, ComesBackWithWhatWasChangedMeanwhile)
{
    const std::string old = disk("", "<driver name='qemu' cache='writeback'/>");
    std::string moved = move_disk_to_device(domain_with(old), "vda", "/dev/md100p1");
    moved.replace(moved.find(R"(cache="none")"), 12, R"(cache="directsync")");
    moved.replace(moved.find("</disk>", moved.find("vda")), 0, "<serial>new</serial>");
    const std::string back = move_disk_back(moved, "vda", old, "/dev/md100p1");
    EXPECT_THAT(back, HasSubstr(R"(cache="directsync")"));
    EXPECT_THAT(back, HasSubstr("<serial>new</serial>"));
    EXPECT_THAT(back, Not(HasSubstr("discard")));
    EXPECT_THAT(failure([&] { move_disk_back(moved, "vda", old, "/dev/md7p1"); }),
                HasSubstr("not on '/dev/md7p1' any more"));
}

} // namespace
} // namespace zraid
