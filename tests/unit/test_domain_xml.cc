#include "domains/domain_xml.h"
#include "support/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {

/// For gtest's messages.
void PrintTo(const DiskSource& source, std::ostream* stream)
{
    *stream << "{" << source.path << "|" << source.pool << "|" << source.volume << "|"
            << source.format << "}";
}

namespace {

using test::failure;
using test::failure_code;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr const char* kUuid = "c7a5fdbd-edaf-9455-926a-d65c16db1809";

std::string domain(const std::string& devices)
{
    return std::string("<domain type='kvm'><name>web</name><uuid>") + kUuid + "</uuid><devices>" +
           devices + "</devices></domain>";
}

std::vector<DiskSource> sources(const std::string& devices)
{
    return parse_domain(domain(devices)).sources;
}

DiskSource path(const std::string& text)
{
    return {text, "", ""};
}

TEST(ParseDomain, ReadsNameAndUuid)
{
    const DomainDisks disks = parse_domain(domain(""));
    EXPECT_EQ(disks.name, "web");
    EXPECT_EQ(disks.uuid.text(), kUuid);
    EXPECT_THAT(disks.sources, IsEmpty());
    EXPECT_FALSE(disks.xen);
}

TEST(ParseDomain, ReadsADomainOfXen)
{
    const DomainDisks disks = parse_domain(fmt::format(
        "<domain type='xen' id='7'><name>web</name><uuid>{}</uuid>"
        "<os><type arch='x86_64' machine='xenpv'>linux</type></os><devices>"
        "<disk type='block' device='disk'><driver name='phy' type='raw'/>"
        "<source dev='/dev/md100p1'/><target dev='xvda' bus='xen'/></disk></devices></domain>",
        kUuid));
    EXPECT_TRUE(disks.xen);
    EXPECT_THAT(disks.sources, ElementsAre(path("/dev/md100p1")));
}

TEST(ParseDomain, ReadsEveryKindOfSource)
{
    EXPECT_THAT(sources("<disk type='block'><source dev='/dev/md100p1'/></disk>"
                        "<disk type='file'><source file='/a.qcow2'/></disk>"
                        "<disk type='volume'><source pool='vm' volume='md100p2'/></disk>"
                        "<disk type='network'><source protocol='rbd' name='pool/x'/></disk>"
                        "<disk type='dir'><source dir='/floppy'/></disk>"
                        "<disk type='file' device='cdrom'><target dev='sda'/></disk>"
                        "<disk type='file'><source file=''/></disk>"),
                ElementsAre(path("/dev/md100p1"), path("/a.qcow2"), DiskSource{"", "vm", "md100p2"},
                            path("/floppy")));
}

TEST(ParseDomain, TellsWhereNobodyHasLookedBelow)
{
    const DiskSource overlay{"/top", "", "", "qcow2"};
    EXPECT_THAT(sources("<disk><driver name='qemu' type='qcow2'/><source file='/top'/></disk>"),
                ElementsAre(overlay));
    EXPECT_THAT(sources("<disk><driver name='qemu' type='raw'/><source file='/top'/></disk>"
                        "<disk><driver name='qemu'/><source file='/top'/></disk>"),
                ElementsAre(path("/top"), path("/top")));
    EXPECT_THAT(sources("<disk><driver type='qcow2'/><source file='/top'/><backingStore/></disk>"),
                ElementsAre(path("/top")))
        << "there is nothing below it";
    EXPECT_THAT(sources("<disk><driver type='qcow2'/><source file='/a'/><backingStore>"
                        "<format type='qcow2'/><source file='/top'/></backingStore></disk>"),
                ElementsAre(path("/a"), overlay));
    EXPECT_THAT(sources("<disk><driver type='qcow2'/><source pool='p' volume='v'/></disk>"),
                ElementsAre(DiskSource{"", "p", "v", "qcow2"}));
    EXPECT_THAT(sources("<disk><source file='/a'/><mirror><format type='qcow2'/>"
                        "<source file='/top'/></mirror></disk>"),
                ElementsAre(path("/a"), overlay));
}

TEST(ParseDomain, ReadsWhatElseADomainOpens)
{
    const DomainDisks disks = parse_domain(
        fmt::format("<domain><name>a</name><uuid>{}</uuid><os><loader type='pflash'>/code</loader>"
                    "<nvram template='/t'>/vars</nvram><kernel>/k</kernel><initrd>/i</initrd></os>"
                    "<devices><filesystem><source dir='/share'/></filesystem>"
                    "<filesystem type='block'><source dev='/dev/md1'/></filesystem>"
                    "<memory><source><path>/pmem</path></source></memory></devices></domain>",
                    kUuid));
    EXPECT_THAT(disks.sources, ElementsAre(path("/share"), path("/dev/md1"), path("/pmem"),
                                           path("/code"), path("/vars"), path("/k"), path("/i")));
    EXPECT_THAT(parse_domain(fmt::format("<domain><name>a</name><uuid>{}</uuid><os><nvram "
                                         "type='file'><source file='/vars'/></nvram></os></domain>",
                                         kUuid))
                    .sources,
                ElementsAre(path("/vars")));
}

TEST(ParseDomain, ReadsBackingChains)
{
    EXPECT_THAT(sources("<disk type='file'><source file='/top'/>"
                        "<backingStore type='file'><format type='qcow2'/><source file='/middle'/>"
                        "<backingStore type='block'><source dev='/dev/md100p1'/>"
                        "<backingStore/></backingStore></backingStore></disk>"),
                ElementsAre(path("/top"), path("/middle"), path("/dev/md100p1")));
}

TEST(ParseDomain, ReadsTheTargetOfACopy)
{
    EXPECT_THAT(sources("<disk type='file'><source file='/from'/>"
                        "<mirror type='block' job='copy' ready='yes'><format type='raw'/>"
                        "<source dev='/dev/md101p1'/>"
                        "<backingStore type='file'><source file='/base'/></backingStore>"
                        "</mirror></disk>"),
                ElementsAre(path("/from"), path("/dev/md101p1"), path("/base")));
}

TEST(ParseDomain, ReadsTheDataFileOfAnImage)
{
    EXPECT_THAT(sources("<disk type='file'><source file='/meta.qcow2'><dataStore type='block'>"
                        "<format type='raw'/><source dev='/dev/md100p1'/></dataStore></source>"
                        "</disk>"),
                ElementsAre(path("/meta.qcow2"), path("/dev/md100p1")));
}

TEST(ParseDomain, TakesTextWithEntities)
{
    EXPECT_THAT(sources("<disk><source file='/a&amp;b&lt;&gt;&quot;&apos;&#228;.img'/></disk>"),
                ElementsAre(path("/a&b<>\"'ä.img")));
    EXPECT_EQ(parse_domain("<domain><name>a &lt;b&gt;</name><uuid>" + std::string(kUuid) +
                           "</uuid></domain>")
                  .name,
              "a <b>");
}

TEST(ParseDomain, ReadsWhatLibvirtWrites)
{
    // `virsh dumpxml` of libvirt 9.0 for a running domain, shortened where nothing is a disk's.
    const DomainDisks disks = parse_domain(R"(<?xml version='1.0' encoding='UTF-8'?>
<!--
WARNING: THIS IS AN AUTO-GENERATED FILE. CHANGES TO IT ARE LIKELY TO BE
OVERWRITTEN AND LOST.
-->
<domain type='kvm' id='3' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>web</name>
  <uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>
  <metadata>
    <libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0">
      <libosinfo:os id="http://debian.org/debian/12"/>
    </libosinfo:libosinfo>
    <disk><source dev='/dev/md7'/></disk>
  </metadata>
  <memory unit='KiB'>2097152</memory>
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
    <loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>
    <nvram template='/usr/share/OVMF/OVMF_VARS_4M.fd'>/var/lib/libvirt/qemu/nvram/web.fd</nvram>
  </os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='block' device='disk'>
      <driver name='qemu' type='raw' cache='none' io='native' discard='unmap'/>
      <source dev='/dev/md100p1' index='2'/>
      <backingStore/>
      <target dev='vda' bus='virtio'/>
      <alias name='virtio-disk0'/>
      <address type='pci' domain='0x0000' bus='0x04' slot='0x00' function='0x0'/>
    </disk>
    <disk type='volume' device='disk'>
      <driver name='qemu' type='raw'/>
      <source pool='mail' volume='md101p1' index='1'/>
      <target dev='vdb' bus='virtio'/>
    </disk>
    <disk type='file' device='cdrom'>
      <driver name='qemu'/>
      <target dev='sda' bus='sata'/>
      <readonly/>
    </disk>
    <filesystem type='mount'><source dir='/srv'/><target dir='srv'/></filesystem>
    <interface type='network'>
      <source network='default' portid='f1a0c3d2-0000-4000-8000-000000000001' bridge='virbr0'/>
    </interface>
    <hostdev mode='subsystem' type='pci'><source><address domain='0'/></source></hostdev>
  </devices>
</domain>
)");
    EXPECT_EQ(disks.name, "web");
    EXPECT_THAT(disks.sources, ElementsAre(path("/dev/md100p1"), DiskSource{"", "mail", "md101p1"},
                                           path("/srv"), path("/usr/share/OVMF/OVMF_CODE_4M.fd"),
                                           path("/var/lib/libvirt/qemu/nvram/web.fd")));
}

TEST(ParseDomain, SaysWhatIsWrong)
{
    for (const char* xml : {"", " ", "\n\t\r\n"})
        EXPECT_EQ(failure([&] { parse_domain(xml); }), "the domain XML is empty");
    EXPECT_THAT(failure([] { parse_domain("no XML"); }),
                StartsWith("the domain XML is broken at byte "));
    EXPECT_EQ(failure([] { parse_domain("<network><name>x</name></network>"); }),
              "the document is no domain XML: it has no <domain>");
    EXPECT_EQ(failure([] { parse_domain("<domain><name>x</name></domain>"); }),
              "the domain XML's <uuid>: '' is no UUID");
    EXPECT_EQ(failure([] { parse_domain("<domain><uuid>7</uuid></domain>"); }),
              "the domain XML's <uuid>: '7' is no UUID");
    EXPECT_EQ(failure_code([] { parse_domain("<domain/>"); }), 1) << "nobody typed it";
}

TEST(ParseDomain, RefusesEveryCutText)
{
    const std::string xml = domain("<disk type='block'><source dev='/dev/md100p1'/></disk>");
    for (std::size_t size = 0; size < xml.size(); ++size)
        EXPECT_NE(failure([&] { parse_domain(xml.substr(0, size)); }), "no error")
            << xml.substr(0, size);
    EXPECT_EQ(failure([&] { parse_domain(xml); }), "no error");
}

TEST(ParseDomain, RefusesADocumentTypeDeclaration)
{
    for (const char* doctype :
         {"<!DOCTYPE domain>", "<!DOCTYPE domain SYSTEM 'http://localhost:1/x.dtd'>",
          "<!DOCTYPE domain [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"})
        EXPECT_EQ(failure([&] { parse_domain(doctype + domain("")); }),
                  "the domain XML has a document type declaration, which libvirt never writes");
}

TEST(ParseDomain, ExpandsNoEntity)
{
    EXPECT_THAT(sources("<disk><source file='/&secret;'/></disk>"), ElementsAre(path("/&secret;")));
}

TEST(ParseDomain, TakesALargeDocument)
{
    std::string disks;
    for (int i = 0; i < 50'000; ++i)
        disks += "<disk type='file'><source file='/images/disk-" + std::to_string(i) + "'/></disk>";
    EXPECT_EQ(sources(disks).size(), 50'000U);
}

TEST(ParseDomain, TakesDeepDocuments)
{
    // As deep as eight megabytes of XML can be: the hook must not run out of stack.
    const auto nested = [](const std::string& element, int depth) {
        std::string xml;
        for (int i = 0; i < depth; ++i)
            xml += "<" + element + ">";
        for (int i = 0; i < depth; ++i)
            xml += "</" + element + ">";
        return "<disk>" + xml + "</disk>";
    };
    EXPECT_THAT(sources(nested("backingStore", 200'000)), IsEmpty());
    EXPECT_THAT(sources(nested("x", 200'000)), IsEmpty());
    EXPECT_THAT(sources(nested("mirror", 200'000)), IsEmpty());
}

} // namespace
} // namespace zraid
