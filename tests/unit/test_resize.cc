#include "admin/resize.h"
#include "pools/store.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/pool_definitions.h"
#include "support/test_driver.h"
#include "util/size.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::failure_code;
using test::FakeSystem;
using test::pool_definition;

// What is refused before anything is changed; the growth itself is for tests/lab.
class Resize : public ::testing::Test
{
protected:
    Resize() { PoolStore(system_.paths).save(pool_); }

    std::function<void()> to(std::uint64_t size, const std::string& volume = "") const
    {
        return [this, size, volume] { resize_pool(admin_, {"vm", size, volume}); };
    }

    FakeSystem system_;
    Admin admin_{system_.paths, test::kTestDriver};
    PoolDefinition pool_ = pool_definition();
};

TEST_F(Resize, NeverMakesAPoolSmaller)
{
    EXPECT_EQ(failure(to(64 * MiB - 4096)),
              "it has 64 MiB already, and pools only grow. Next: for less, define a smaller pool "
              "and copy the guest's data there");
    EXPECT_EQ(failure_code(to(32 * MiB)), 1);
}

TEST_F(Resize, HasTheBoundOfZram)
{
    EXPECT_EQ(failure(to(16 * TiB + 1)),
              "16 TiB is too large for a pool. Next: give at most 16T: zram cannot mirror more");
    EXPECT_EQ(failure_code(to(17 * TiB)), 2);
}

TEST_F(Resize, NeedsTheArray)
{
    EXPECT_EQ(failure(to(128 * MiB)),
              "its array is not there. Next: zraid-pool start brings it up");
    EXPECT_EQ(failure(to(128 * MiB, "md100p1")),
              "its array is not there. Next: zraid-pool start vm");
}

TEST_F(Resize, NeedsTheVolumeThatIsToGrow)
{
    system_.put_tree("md100-disk-only.tree", "sys/block/md100");
    EXPECT_EQ(failure(to(128 * MiB, "md100p2")),
              "there is no volume 'md100p2'. Next: zraid-pool vol-list vm");
    EXPECT_EQ(failure(to(128 * MiB, "md101p1")),
              "there is no volume 'md101p1': this pool's are named md100p1, md100p2, …. Next: "
              "zraid-pool vol-list vm");
}

} // namespace
} // namespace zraid
