#include "admin/users.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/log_capture.h"
#include "support/test_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::FakeSystem;
using test::LogCapture;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

class Users : public ::testing::Test
{
protected:
    std::vector<std::string> names() const
    {
        std::vector<std::string> names;
        for (const Claim& claim : claims_.list())
            names.push_back(claim.domain);
        return names;
    }

    FakeSystem system_;
    Admin admin_{system_.paths, test::kTestDriver};
    Claims claims_{system_.paths, "vm"};
    Uuid running_ = Uuid::parse(test::kTestDomain);
    Uuid gone_ = Uuid::parse("11111111-1111-1111-1111-111111111111");
};

TEST_F(Users, OfDomainsThatDoNotRunAreDead)
{
    claims_.add({"test", running_});
    claims_.add({"gone", gone_});
    EXPECT_THAT(dead_claims(admin_, "vm"), ElementsAre(Field(&Claim::uuid, gone_)));
    EXPECT_THAT(names(), UnorderedElementsAre("test", "gone")) << "only looked at";
}

TEST_F(Users, AreNotAskedForWhereThereAreNone)
{
    const LogCapture log;
    admin_.uri = test::kNoDriver;
    EXPECT_THAT(dead_claims(admin_, "vm"), IsEmpty());
    EXPECT_THAT(log.lines(), IsEmpty());
}

TEST_F(Users, CountAsRunningWhereLibvirtCannotBeAsked)
{
    const LogCapture log(LogLevel::info);
    admin_.uri = test::kNoDriver;
    claims_.add({"gone", gone_});
    EXPECT_THAT(dead_claims(admin_, "vm"), IsEmpty());
    EXPECT_THAT(log.lines(), ElementsAre(StartsWith("info: pool 'vm': all its users are taken for "
                                                    "running: libvirt: connect to")));
}

TEST_F(Users, OfXenAreAskedForAtItsOwnDriver)
{
    const LogCapture log(LogLevel::info);
    claims_.add({"gone", gone_, 0, true});
    EXPECT_THAT(dead_claims(admin_, "vm"), IsEmpty()) << "the test driver does not know it";
    EXPECT_THAT(log.lines(), ElementsAre(HasSubstr("taken for running: libvirt: connect to "
                                                   "xen:///system")));
}

TEST_F(Users, AreDroppedUnlessTheyCameBack)
{
    const LogCapture log(LogLevel::info);
    claims_.add({"gone", gone_});
    claims_.add({"test", running_});
    const auto dead = dead_claims(admin_, "vm");
    claims_.add({"gone", gone_}); // started again meanwhile
    drop_claims(admin_, "vm", dead);
    EXPECT_THAT(names(), UnorderedElementsAre("test", "gone"));
    EXPECT_THAT(log.lines(), IsEmpty());
    drop_claims(admin_, "vm", dead_claims(admin_, "vm"));
    EXPECT_THAT(names(), ElementsAre("test"));
    EXPECT_THAT(log.lines(),
                ElementsAre("info: pool 'vm': domain 'gone' does not run any more, it is no user "
                            "now"));
}

TEST_F(Users, AreNamedWhenTheyAreInTheWay)
{
    EXPECT_EQ(failure([&] { refuse_users(admin_, "vm"); }), "no error");
    claims_.add({"web", gone_});
    EXPECT_EQ(failure([&] { refuse_users(admin_, "vm"); }),
              "it is used by 'web'. Next: shut the domains down first");
    claims_.add({"db", running_});
    EXPECT_EQ(failure([&] { refuse_users(admin_, "vm"); }),
              "it is used by 'web', 'db'. Next: shut the domains down first");
}

} // namespace
} // namespace zraid
