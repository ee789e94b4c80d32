#include "domains/hotplug.h"
#include "mirror/hold.h"
#include "pools/store.h"
#include "support/fake_system.h"
#include "support/log_capture.h"
#include "support/pool_definitions.h"
#include "support/recorded_leg.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::FakeSystem;
using test::LogCapture;
using test::pool_definition;
using test::recorded_leg;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class HotplugTest : public testing::Test
{
protected:
    static constexpr const char* kWeb = "11111111-1111-1111-1111-111111111111";
    static constexpr const char* kDb = "22222222-2222-2222-2222-222222222222";

    HotplugTest()
    {
        define("fast", 100);
        define("vm", 101);
    }
    void define(const std::string& name, int number)
    {
        PoolDefinition pool = pool_definition(name);
        pool.image = system_.put(name + ".img", recorded_leg());
        pool.md_number = number;
        pool.settings.libvirt = true;
        PoolStore(system_.paths).save(pool);
    }
    static std::string domain(const std::string& name, const std::string& uuid,
                              const std::vector<std::string>& pools)
    {
        std::string disks;
        for (const std::string& pool : pools)
            disks += "<disk type='volume'><source pool='" + pool + "' volume='x'/></disk>";
        return "<domain><name>" + name + "</name><uuid>" + uuid + "</uuid><devices>" + disks +
               "</devices></domain>";
    }
    std::vector<PoolClaim> claims(const char* uuid = kWeb) const
    {
        return claims_of_domain(system_.paths, Uuid::parse(uuid));
    }
    std::vector<std::string> users(const std::string& pool) const
    {
        std::vector<std::string> names;
        for (const Claim& claim : Claims(system_.paths, pool).list())
            names.push_back(claim.domain);
        return names;
    }

    FakeSystem system_;
    LogCapture log_{LogLevel::info};
};

TEST_F(HotplugTest, APluggedDiskMakesItsDomainAUserOnce)
{
    const std::string xml = domain("web", kWeb, {"vm"});
    match_claims(system_.paths, {}, xml);
    EXPECT_THAT(users("vm"), ElementsAre("web"));
    const auto before = claims();
    match_claims(system_.paths, {}, xml);
    EXPECT_THAT(
        log_.lines(),
        ElementsAre(HasSubstr("pool 'vm': domain 'web' has a disk on it by now, it is a user")));
    EXPECT_EQ(claims(), before) << "a claim that is there stays the same one";
    EXPECT_THAT(users("fast"), IsEmpty());
}

TEST_F(HotplugTest, AnUnpluggedDiskEndsTheUseOfItsPoolAlone)
{
    match_claims(system_.paths, {}, domain("web", kWeb, {"vm", "fast"}));
    match_claims(system_.paths, {}, domain("db", kDb, {"vm"}));
    match_claims(system_.paths, claims(), domain("web", kWeb, {"fast"}));
    EXPECT_THAT(log_.lines().back(),
                HasSubstr("pool 'vm': domain 'web' has no disk on it any more"));
    EXPECT_THAT(users("vm"), ElementsAre("db"));
    EXPECT_THAT(users("fast"), ElementsAre("web"));
}

TEST_F(HotplugTest, AnotherDiskOnThePoolKeepsTheUse)
{
    match_claims(system_.paths, {}, domain("web", kWeb, {"vm", "vm"}));
    match_claims(system_.paths, claims(), domain("web", kWeb, {"vm"}));
    EXPECT_THAT(users("vm"), ElementsAre("web"));
}

TEST_F(HotplugTest, AClaimThatWasMadeSinceStays)
{
    match_claims(system_.paths, {}, domain("web", kWeb, {"vm"}));
    const auto before = claims();
    Claims(system_.paths, "vm").add({"web", Uuid::parse(kWeb)}); // the domain was started anew
    match_claims(system_.paths, before, domain("web", kWeb, {}));
    EXPECT_THAT(claims(), SizeIs(1));
}

TEST_F(HotplugTest, AClaimOnAPoolWhoseDefinitionIsBrokenStays)
{
    match_claims(system_.paths, {}, domain("web", kWeb, {"vm"}));
    std::ofstream(PoolStore(system_.paths).file("vm")) << "<pool>";
    match_claims(system_.paths, claims(), domain("web", kWeb, {}));
    EXPECT_THAT(users("vm"), ElementsAre("web"));
    EXPECT_THAT(log_.lines().back(), HasSubstr("pool 'vm': its users stay as they are: "));
}

TEST_F(HotplugTest, TheLastUserTakesWhatWasSaidByHandAlong)
{
    match_claims(system_.paths, {}, domain("web", kWeb, {"vm"}));
    set_hold(system_.paths, "vm", Hold::attached);
    match_claims(system_.paths, claims(), domain("web", kWeb, {}));
    EXPECT_EQ(hold_of(system_.paths, "vm"), Hold::none);
}

} // namespace
} // namespace zraid
