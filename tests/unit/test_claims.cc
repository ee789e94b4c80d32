#include "mirror/claims.h"
#include "support/failure.h"
#include "support/fake_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace zraid {
namespace {

using test::failure;
using test::FakeSystem;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const Uuid kFirst = Uuid::parse("11111111-1111-1111-1111-111111111111");
const Uuid kSecond = Uuid::parse("22222222-2222-2222-2222-222222222222");

class ClaimsTest : public ::testing::Test
{
protected:
    std::vector<std::string> names() const
    {
        std::vector<std::string> names;
        for (const Claim& claim : claims_.list())
            names.push_back(claim.domain + " " + claim.uuid.text().substr(0, 8));
        return names;
    }
    FakeSystem system_;
    Claims claims_{system_.paths, "vm"};
};

TEST_F(ClaimsTest, AreAddedListedAndRemoved)
{
    EXPECT_THAT(claims_.list(), IsEmpty());
    EXPECT_FALSE(claims_.remove(kFirst));
    claims_.add({"web", kFirst});
    claims_.add({"db", kSecond});
    EXPECT_THAT(names(), UnorderedElementsAre("web 11111111", "db 22222222"));
    EXPECT_TRUE(claims_.remove(kFirst));
    EXPECT_THAT(names(), ElementsAre("db 22222222"));
    EXPECT_FALSE(claims_.remove(kFirst));
    EXPECT_TRUE(claims_.remove(kSecond));
    EXPECT_THAT(claims_.list(), IsEmpty());
}

TEST_F(ClaimsTest, TellWhichDriverStartedTheDomain)
{
    claims_.add({"web", kFirst, 0, true});
    claims_.add({"db", kSecond});
    for (const Claim& claim : claims_.list())
        EXPECT_EQ(claim.xen, claim.domain == "web");
}

TEST_F(ClaimsTest, CountOncePerDomain)
{
    claims_.add({"web", kFirst});
    claims_.add({"web-renamed", kFirst});
    EXPECT_THAT(names(), ElementsAre("web-renamed 11111111"));
}

TEST_F(ClaimsTest, HaveAnotherGenerationWhenMadeAgain)
{
    claims_.add({"web", kFirst});
    const Claim before = claims_.list().at(0);
    EXPECT_NE(before.generation, 0U);
    EXPECT_EQ(claims_.list().at(0), before) << "as long as nothing happens";
    claims_.add({"web", kFirst});
    const Claim after = claims_.list().at(0);
    EXPECT_NE(after.generation, before.generation);
    EXPECT_EQ(after.uuid, before.uuid);
}

TEST_F(ClaimsTest, BelongToOnePool)
{
    const Claims other(system_.paths, "other");
    claims_.add({"web", kFirst});
    other.add({"web", kFirst});
    EXPECT_THAT(Claims::pools(system_.paths), ElementsAre("other", "vm"));
    claims_.remove(kFirst);
    EXPECT_THAT(Claims::pools(system_.paths), ElementsAre("other"));
    EXPECT_EQ(other.list().size(), 1U);
    other.remove(kFirst);
    EXPECT_THAT(Claims::pools(system_.paths), IsEmpty());
}

TEST_F(ClaimsTest, AreNoneWithoutAFolder)
{
    EXPECT_THAT(Claims::pools(system_.paths), IsEmpty());
}

TEST_F(ClaimsTest, AreForRootAlone)
{
    claims_.add({"web", kFirst});
    struct stat info = {};
    const auto folder = system_.paths.claims("vm");
    ASSERT_EQ(::stat(folder.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0700U);
    ASSERT_EQ(::stat((folder / (kFirst.text() + ".json")).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(ClaimsTest, KeepAnyName)
{
    for (const std::string name : {"a \"b\" \\ c", "ü", "", "two\nlines", "\x01"}) {
        claims_.add({name, kFirst});
        EXPECT_EQ(claims_.list().at(0).domain, name);
    }
    claims_.add({"no UTF-8: \xff", kFirst});
    EXPECT_EQ(claims_.list().at(0).domain, "no UTF-8: \xef\xbf\xbd");
}

TEST_F(ClaimsTest, CountWhateverIsInTheFile)
{
    claims_.add({"web", kFirst});
    const std::string file = "run/claims/vm/" + kSecond.text() + ".json";
    for (const char* content : {"", "{", "[]", "{}", "null", "7", "{\"domain\": 5}",
                                "{\"domain\": null}", "{\"domain\": [\"x\"]}"}) {
        system_.put(file, content);
        std::vector<Claim> claims;
        EXPECT_EQ(failure([&] { claims = claims_.list(); }), "no error") << content;
        EXPECT_THAT(claims,
                    UnorderedElementsAre(Field(&Claim::uuid, kFirst), Field(&Claim::uuid, kSecond)))
            << content;
    }
}

TEST_F(ClaimsTest, AreNotHiddenByOtherFiles)
{
    claims_.add({"web", kFirst});
    for (const char* name : {"notes.json", "x.json.new-77", "README", ".json"})
        system_.put("run/claims/vm/" + std::string(name), "{}");
    std::vector<std::string> seen;
    EXPECT_EQ(failure([&] { seen = names(); }), "no error");
    EXPECT_THAT(seen, ElementsAre("web 11111111"));
}

} // namespace
} // namespace zraid
