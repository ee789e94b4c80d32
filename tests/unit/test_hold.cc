#include "mirror/claims.h"
#include "mirror/hold.h"
#include "support/fake_system.h"

#include <gtest/gtest.h>

namespace zraid {
namespace {

class HoldTest : public testing::Test
{
protected:
    HoldTest() { pool_.name = "vm"; }

    bool wanted() const { return wants_ram(system_.paths, pool_); }

    test::FakeSystem system_;
    PoolDefinition pool_;
};

TEST_F(HoldTest, IsRememberedUntilItIsTakenBack)
{
    for (const Hold hold : {Hold::none, Hold::attached, Hold::detached, Hold::none, Hold::none}) {
        set_hold(system_.paths, "vm", hold);
        EXPECT_EQ(hold_of(system_.paths, "vm"), hold);
        EXPECT_EQ(hold_of(system_.paths, "other"), Hold::none);
    }
}

TEST_F(HoldTest, ComesBeforePolicyAndUsers)
{
    EXPECT_FALSE(wanted());
    set_hold(system_.paths, "vm", Hold::attached);
    EXPECT_TRUE(wanted());
    set_hold(system_.paths, "vm", Hold::none);
    pool_.settings.attach = AttachPolicy::always;
    EXPECT_TRUE(wanted());
    pool_.settings.attach = AttachPolicy::on_demand;
    Claims(system_.paths, "vm").add({"web", Uuid::random()});
    EXPECT_TRUE(wanted());
    set_hold(system_.paths, "vm", Hold::detached);
    EXPECT_FALSE(wanted());
}

TEST_F(HoldTest, IsNothingWhenItIsNotUnderstood)
{
    system_.put("run/holds/vm", "something");
    EXPECT_EQ(hold_of(system_.paths, "vm"), Hold::none);
}

} // namespace
} // namespace zraid
