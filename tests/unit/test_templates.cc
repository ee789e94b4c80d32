#include "libvirt/templates.h"
#include "pools/schema.h"
#include "support/failure.h"
#include "support/fake_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace zraid {
namespace {

using test::failure;
using test::FakeSystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

using Values = std::map<std::string, std::string>;

/// Templates of a test's own.
class FillTemplate : public ::testing::Test
{
protected:
    FillTemplate() { system_.paths.share = system_.folder("share"); }
    std::string fill(const std::string& content, const Values& values)
    {
        system_.put("share/x.xml", content);
        return fill_template(system_.paths, "x.xml", values);
    }
    std::string refusal(const std::string& content, const Values& values)
    {
        return failure([&] { fill(content, values); });
    }

    FakeSystem system_;
};

TEST_F(FillTemplate, PutsValuesInAttributesAndText)
{
    EXPECT_EQ(fill("<a name='@NAME@'><b>@NAME@</b><c x='1'>in @NAME@, @SIZE@@SIZE@ bytes</c></a>",
                   {{"NAME", "vm"}, {"SIZE", "7"}, {"UNUSED", "x"}}),
              "<a name=\"vm\">\n  <b>vm</b>\n  <c x=\"1\">in vm, 77 bytes</c>\n</a>\n");
}

TEST_F(FillTemplate, LetsNoValueChangeTheStructure)
{
    const std::string evil = "'/><evil a=\"1\" & b='2'>]]></evil>&amp;\"";
    const std::string xml = fill("<a b='@NAME@'>@NAME@</a>", {{"NAME", evil}});
    EXPECT_THAT(xml, AllOf(Not(HasSubstr("<evil")), HasSubstr("&lt;evil")));
    // Filled into a document of the schema's kind, the value comes back as it was.
    const std::string schema =
        system_.put("a.rng", "<element name='a' xmlns='http://relaxng.org/ns/structure/1.0'>"
                             "<attribute name='b'/><text/></element>");
    EXPECT_EQ(failure([&] { check_schema(FakeSystem().paths, schema, xml, "filled"); }),
              "no error");
}

TEST_F(FillTemplate, FillsNoKeyInsideAValue)
{
    EXPECT_EQ(fill("<a>@NAME@</a>", {{"NAME", "@UUID@"}, {"UUID", "x"}}), "<a>@UUID@</a>\n");
}

TEST_F(FillTemplate, LeavesOtherAtSigns)
{
    const Values values{{"NAME", "vm"}};
    EXPECT_EQ(fill("<a>a@b.c</a>", values), "<a>a@b.c</a>\n");
    EXPECT_EQ(fill("<a>@</a>", values), "<a>@</a>\n");
    EXPECT_EQ(fill("<a>@@ @name@ @N1@ a@b @NAME@</a>", values), "<a>@@ @name@ @N1@ a@b vm</a>\n");
    EXPECT_EQ(fill("<a>root@@NAME@@host</a>", values), "<a>root@vm@host</a>\n");
    EXPECT_EQ(fill("<a>@NAME</a>", values), "<a>@NAME</a>\n");
}

TEST_F(FillTemplate, RefusesAKeyThatItDoesNotKnow)
{
    EXPECT_EQ(refusal("<a>@COLOUR@</a>", {{"NAME", "vm"}}),
              "template '" + (system_ / "share/x.xml").string() + "': unknown key @COLOUR@");
    EXPECT_THAT(refusal("<a b='@X@'/>", {}), HasSubstr("unknown key @X@"));
}

TEST_F(FillTemplate, FillsSectionsOfCharacterData)
{
    EXPECT_EQ(fill("<a><![CDATA[@NAME@]]></a>", {{"NAME", "v<m"}}), "<a><![CDATA[v<m]]></a>\n");
}

TEST_F(FillTemplate, SaysWhereATemplateIsBroken)
{
    EXPECT_THAT(refusal("<a>\n  <b></a>", {}),
                AllOf(StartsWith("template '" + (system_ / "share/x.xml").string() +
                                 "': broken at "
                                 "byte "),
                      Not(HasSubstr("\n"))));
    EXPECT_THAT(refusal("", {}), HasSubstr("broken at byte 0"));
    EXPECT_THAT(refusal(std::string((1 << 20) + 1, ' '), {}), HasSubstr("longer than"));
}

TEST_F(FillTemplate, NamesTheTemplateThatIsMissing)
{
    const std::string file = system_ / "share/pool-none.xml";
    EXPECT_EQ(failure([&] { fill_template(system_.paths, "pool-none.xml", {}); }),
              "template '" + file + "': open '" + file + "': No such file or directory");
}

TEST_F(FillTemplate, TakesTheAdministratorsOwn)
{
    system_.put("etc/xml-templates/x.xml", "<mine>@NAME@</mine>");
    EXPECT_EQ(fill("<a/>", {{"NAME", "vm"}}), "<mine>vm</mine>\n");
    EXPECT_EQ(failure([&] { fill_template(system_.paths, "y.xml", {}); }).find("etc/xml-templates"),
              std::string::npos)
        << "only the one that is there";
}

TEST_F(FillTemplate, TrustsNoOverrideThatEverybodyMayWrite)
{
    const std::string own = system_.put("etc/xml-templates/x.xml", "<mine/>");
    ::chmod(own.c_str(), 0666);
    EXPECT_THAT(refusal("<a/>", {}), AllOf(HasSubstr("'" + own + "' may be written by everybody"),
                                           HasSubstr("Next: check what is in it, then chmod o-w")));
}

TEST_F(FillTemplate, TrustsNoOverrideInAFolderThatEverybodyMayWrite)
{
    const std::string own = system_.put("etc/xml-templates/x.xml", "<mine/>");
    ::chmod(own.c_str(), 0644);
    ::chmod((system_ / "etc/xml-templates").c_str(), 0777);
    EXPECT_THAT(refusal("<a/>", {}), HasSubstr("may be written by everybody"));
}

/// The documents that zraid comes with, against the schemas that libvirt comes with.
class LibvirtSchema : public ::testing::Test
{
protected:
    static void check(const std::string& schema, const std::string& xml)
    {
        const std::string file = "/usr/share/libvirt/schemas/" + schema;
        ASSERT_TRUE(std::filesystem::exists(file))
            << file << " is missing: install the Debian package libvirt0";
        EXPECT_EQ(failure([&] { check_schema(FakeSystem().paths, file, xml, "filled"); }),
                  "no error")
            << xml;
    }
    std::string fill(const std::string& name, const Values& values) const
    {
        return fill_template(system_.paths, name, values);
    }

    FakeSystem system_;
};

TEST_F(LibvirtSchema, TakesThePool)
{
    for (const std::string name : {"vm", "A.b_c-9", "0"})
        check("storagepool.rng",
              fill("pool-disk.xml", {{"NAME", name},
                                     {"UUID", "0123abcd-4567-89ef-fedc-ba9876543210"},
                                     {"DEVICE", "/dev/md100"}}));
}

TEST_F(LibvirtSchema, TakesTheVolume)
{
    for (const std::string bytes : {"16777216", "17592186044416"})
        check("storagevol.rng",
              fill("volume-disk.xml", {{"VOLUME", "md100p128"}, {"BYTES", bytes}}));
}

TEST_F(LibvirtSchema, TakesTheDisk)
{
    const std::string disk = fill("domain-disk.xml", {{"PATH", "/dev/md100p1"}, {"TARGET", "vda"}});
    check("domain.rng", "<domain type='kvm'><name>web</name><memory unit='MiB'>512</memory>"
                        "<os><type>hvm</type></os><devices>" +
                            disk + "</devices></domain>");
    EXPECT_THAT(disk, AllOf(HasSubstr("type=\"block\""), HasSubstr("cache=\"none\""),
                            HasSubstr("discard=\"unmap\""), HasSubstr("detect_zeroes=\"unmap\""),
                            HasSubstr("dev=\"/dev/md100p1\"")));
}

TEST_F(LibvirtSchema, RefusesWhatIsNoPool)
{
    // The check itself works.
    const std::string schema = "/usr/share/libvirt/schemas/storagepool.rng";
    EXPECT_THAT(failure([&] {
                    check_schema(FakeSystem().paths, schema,
                                 "<pool type='disk'>\n<colour/>\n</pool>", "filled");
                }),
                StartsWith("filled:"));
}

} // namespace
} // namespace zraid
