#include "pools/schema.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/pool_definitions.h"
#include "support/temporary_folder.h"

#include <array>
#include <barrier>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::FakeSystem;
using test::pool_definition;
using test::TemporaryFolder;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

// Line by line, so that the expected places can be counted.
constexpr const char* kGoodPool = "<zraidpool type='disk'>\n"                             // 1
                                  "  <name>vm</name>\n"                                   // 2
                                  "  <uuid>0123abcd-4567-89ef-fedc-ba9876543210</uuid>\n" // 3
                                  "  <image path='/vm.img'/>\n"                           // 4
                                  "  <size>67108864</size>\n"                             // 5
                                  "  <md number='100'>\n"                                 // 6
                                  "    <bitmapchunk unit='MiB'>4</bitmapchunk>\n"         // 7
                                  "  </md>\n"                                             // 8
                                  "  <ramleg attach='on-demand'/>\n"                      // 9
                                  "  <libvirt register='yes' autostart='yes'/>\n"         // 10
                                  "</zraidpool>\n";                                       // 11

std::string schema_refusal(const std::string& xml)
{
    const FakeSystem system;
    return failure([&] { check_pool_schema(system.paths, xml, "/etc/zraid/pools/vm.xml"); });
}

std::string changed(const std::string& from, const std::string& to)
{
    std::string xml = kGoodPool;
    const std::size_t at = xml.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return xml.replace(at, from.size(), to);
}

TEST(CheckPoolSchema, TakesAGoodDefinition)
{
    EXPECT_EQ(schema_refusal(kGoodPool), "no error");
    EXPECT_EQ(schema_refusal(to_xml(pool_definition())), "no error");
    EXPECT_EQ(schema_refusal("<?xml version='1.0' encoding='UTF-8'?>\n<!-- mine -->\n" +
                             std::string(kGoodPool)),
              "no error");
}

TEST(CheckPoolSchema, NamesTheLineAndColumn)
{
    struct Case
    {
        const char* name;
        std::string xml;
        const char* begin; ///< of the message
    };
    const std::string file = "/etc/zraid/pools/vm.xml:";
    for (const Case& c : std::vector<Case>{
             {"a tag that is not closed", changed("</name>", "</nam>"), "2:"},
             {"cut off", std::string(kGoodPool).substr(0, 130), "5:"},
             {"no XML", "pool vm\n", "1:1: "},
             {"an unknown element", changed("  <size>", "  <colour>red</colour>\n  <size>"),
              "5:3: "},
             {"an unknown attribute", changed("path='/vm.img'", "path='/vm.img' format='raw'"),
              "4:3: "},
             {"a bad UUID", changed("0123abcd-4567", "0123abcd4567"), "3:3: "},
             {"a bad name", changed("<name>vm<", "<name>v m<"), "2:3: "},
             {"a relative image", changed("'/vm.img'", "'vm.img'"), "4:3: "},
             {"a size that is none", changed("67108864", "64 MiB"), "5:3: "},
             {"a negative size", changed("67108864", "-1"), "5:3: "},
             {"a unit of its own", changed("'MiB'", "'MB'"), "7:5: "},
             {"an md number too large", changed("'100'", "'512'"), "6:3: "},
             {"an md number that is none", changed("'100'", "'-1'"), "6:3: "},
             {"a way to attach that is none", changed("on-demand", "never"), "9:3: "},
             {"neither yes nor no", changed("register='yes'", "register='maybe'"), "10:3: "},
         }) {
        const std::string text = schema_refusal(c.xml);
        EXPECT_THAT(text, StartsWith(file + c.begin)) << c.name;
        EXPECT_THAT(text, AllOf(Not(HasSubstr("\n")), HasSubstr(". Next: correct the file")))
            << c.name;
    }
}

TEST(CheckPoolSchema, NamesTheElementThatDoesNotBelong)
{
    EXPECT_THAT(schema_refusal(changed("  <size>", "  <colour>red</colour>\n  <size>")),
                AllOf(StartsWith("/etc/zraid/pools/vm.xml:5:"), HasSubstr("colour")));
    std::string typo = kGoodPool;
    typo.replace(typo.find("ramleg"), 6, "ramlag");
    EXPECT_THAT(schema_refusal(typo),
                AllOf(StartsWith("/etc/zraid/pools/vm.xml:9:"), HasSubstr("ramlag")));
    EXPECT_THAT(schema_refusal(changed("</bitmapchunk>", "</bitmapchunk><y/>")),
                AllOf(StartsWith("/etc/zraid/pools/vm.xml:7:"), HasSubstr("y")));
}

TEST(CheckPoolSchema, SaysWhatIsMissing)
{
    for (const char* element : {"name", "uuid", "image", "size", "md", "ramleg", "libvirt"}) {
        std::string xml = kGoodPool;
        const std::size_t begin = xml.find("  <" + std::string(element));
        const std::size_t close = xml.find("</" + std::string(element) + ">", begin);
        const std::size_t end = xml.find('\n', close == std::string::npos ? begin : close);
        xml.erase(begin, end - begin + 1);
        EXPECT_THAT(schema_refusal(xml), MatchesRegex("/etc/zraid/pools/vm.xml:[0-9]+:[0-9]+: .*"))
            << xml;
    }
    for (const char* attribute : {" type='disk'", " path='/vm.img'", " number='100'",
                                  " register='yes'", " autostart='yes'"})
        EXPECT_NE(schema_refusal(changed(attribute, "")), "no error") << attribute;
}

TEST(CheckPoolSchema, RefusesWhatStandsTwice)
{
    EXPECT_NE(schema_refusal(changed("  <size>", "  <name>vm</name>\n  <size>")), "no error");
    EXPECT_NE(schema_refusal(changed("<ramleg", "<ramleg/><ramleg")), "no error");
}

TEST(CheckPoolSchema, RefusesOtherDocuments)
{
    EXPECT_NE(schema_refusal("<pool type='disk'><name>vm</name></pool>"), "no error");
    EXPECT_NE(schema_refusal(changed("<zraidpool", "<zraidpool xmlns='urn:x'")), "no error");
    EXPECT_NE(schema_refusal(changed("'disk'", "'netfs'")), "no error");
    EXPECT_THAT(schema_refusal(""), StartsWith("/etc/zraid/pools/vm.xml:"));
    EXPECT_THAT(schema_refusal("\n \n"), StartsWith("/etc/zraid/pools/vm.xml:"));
    EXPECT_NE(schema_refusal(std::string(kGoodPool) + kGoodPool), "no error");
    EXPECT_NE(schema_refusal(std::string(1000, '\0')), "no error");
}

TEST(CheckPoolSchema, RefusesADocumentTypeDeclaration)
{
    EXPECT_EQ(schema_refusal("<!DOCTYPE zraidpool>\n" + std::string(kGoodPool)),
              "/etc/zraid/pools/vm.xml: has a document type declaration. Next: remove it");
    const std::string external =
        "<!DOCTYPE zraidpool [<!ENTITY secret SYSTEM 'file:///etc/passwd'>]>\n" +
        changed("<name>vm", "<name>&secret;");
    EXPECT_THAT(schema_refusal(external),
                AllOf(Not(HasSubstr("root:")), Not(HasSubstr("no error"))));
    // A few lines that would grow to gigabytes.
    std::string bomb = "<!DOCTYPE zraidpool [<!ENTITY a0 'aaaaaaaaaaaaaaaaaaaa'>";
    for (int i = 1; i < 12; ++i) {
        bomb += "<!ENTITY a" + std::to_string(i) + " '";
        for (int k = 0; k < 20; ++k)
            bomb += "&a" + std::to_string(i - 1) + ";";
        bomb += "'>";
    }
    EXPECT_NE(schema_refusal(bomb + "]>\n" + changed("<name>vm", "<name>&a11;")), "no error");
}

TEST(CheckPoolSchema, TakesTextThatPeopleWrite)
{
    EXPECT_EQ(schema_refusal(changed("  <size>", "  <description>ü &lt;x&gt; <![CDATA[<y>]]>"
                                                 "</description>\n  <size>")),
              "no error");
    EXPECT_NE(
        schema_refusal(changed("  <size>", "  <description><b>x</b></description>\n  <size>")),
        "no error");
}

TEST(CheckPoolSchema, PrintsNothingByItself)
{
    const test::TemporaryFolder folder;
    const std::string broken = folder.put("broken.rng", "<grammar>\n<start>");
    ::testing::internal::CaptureStderr();
    ::testing::internal::CaptureStdout();
    schema_refusal("<zraidpool");
    schema_refusal(changed("<size>", "<colour/><size>"));
    schema_refusal("<!DOCTYPE zraidpool SYSTEM 'http://localhost:1/x.dtd'>\n" +
                   std::string(kGoodPool));
    failure([] { check_schema(FakeSystem().paths, "/no/such.rng", kGoodPool, "vm.xml"); });
    failure([&] { check_schema(FakeSystem().paths, broken, kGoodPool, "vm.xml"); });
    const std::string err = ::testing::internal::GetCapturedStderr();
    const std::string out = ::testing::internal::GetCapturedStdout();
    EXPECT_EQ(err, "");
    EXPECT_EQ(out, "");
}

TEST(CheckSchema, SaysThatTheSchemaIsMissingOrBroken)
{
    EXPECT_THAT(
        failure([] { check_schema(FakeSystem().paths, "/no/such.rng", kGoodPool, "vm.xml"); }),
        AllOf(StartsWith("schema '/no/such.rng' cannot be read: "),
              HasSubstr("Next: install zraid again")));
    const test::TemporaryFolder folder;
    const std::string schema = folder.put("broken.rng", "<grammar>\n<start>");
    EXPECT_THAT(failure([&] { check_schema(FakeSystem().paths, schema, kGoodPool, "vm.xml"); }),
                StartsWith("schema '" + schema + "' cannot be read: "));
}

TEST(CheckPoolSchema, ChecksTheSameTextOnce)
{
    FakeSystem system;
    const auto checked = [&](const std::string& xml) {
        return failure([&] { check_pool_schema(system.paths, xml, "/etc/zraid/pools/vm.xml"); });
    };
    EXPECT_EQ(checked(kGoodPool), "no error");
    system.paths.lib = "/nowhere"; // where the module that checks is not
    EXPECT_EQ(checked(kGoodPool), "no error");
    EXPECT_THAT(checked(changed("vm.img", "wm.img")), HasSubstr("cannot be loaded"));
    EXPECT_EQ(checked(kGoodPool), "no error");
    forget_pool_schema(system.paths, "/etc/zraid/pools/vm.xml");
    EXPECT_THAT(checked(kGoodPool), HasSubstr("cannot be loaded"));
}

TEST(CheckPoolSchema, RemembersNothingOfAnotherSchema)
{
    FakeSystem system;
    const TemporaryFolder other;
    std::filesystem::copy(system.paths.share / "zraidpool.rng", other / "zraidpool.rng");
    check_pool_schema(system.paths, kGoodPool, "/etc/vm.xml");
    system.paths.lib = "/nowhere";
    system.paths.share = other.path();
    EXPECT_THAT(failure([&] { check_pool_schema(system.paths, kGoodPool, "/etc/vm.xml"); }),
                HasSubstr("cannot be loaded"));
}

TEST(CheckPoolSchema, NeedsNoMemory)
{
    FakeSystem system;
    system.paths.run = "/dev/null/run";
    EXPECT_EQ(failure([&] { check_pool_schema(system.paths, kGoodPool, "/etc/vm.xml"); }),
              "no error");
    EXPECT_EQ(failure([&] { check_pool_schema(system.paths, kGoodPool, "/etc/vm.xml"); }),
              "no error");
    forget_pool_schema(system.paths, "/etc/vm.xml");
}

// The monitor has a thread for each pool.
TEST(CheckPoolSchema, ServesManyThreadsFromTheFirstTimeOn)
{
    constexpr int kThreads = 16;
    const FakeSystem system;
    std::barrier start(kThreads);
    std::array<std::string, kThreads> refusals;
    testing::internal::CaptureStderr();
    {
        std::vector<std::jthread> threads;
        for (std::string& refusal : refusals) {
            threads.emplace_back([&] {
                start.arrive_and_wait();
                refusal =
                    failure([&] { check_pool_schema(system.paths, kGoodPool, "/etc/vm.xml"); });
            });
        }
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_THAT(refusals, Each("no error"));
}

} // namespace
} // namespace zraid
