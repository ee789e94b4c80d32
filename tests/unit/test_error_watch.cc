#include "monitor/error_watch.h"
#include "pools/store.h"
#include "support/saved_pool.h"

#include <gtest/gtest.h>

namespace zraid {
namespace {

using ErrorWatchTest = test::SavedPool;

TEST_F(ErrorWatchTest, LooksEveryTwoSecondsAsLongAsAnImageIsInUse)
{
    ErrorWatch watch(admin_, "vm", ErrorWatch::Stays::no);
    EXPECT_EQ(watch.look(), std::nullopt) << "the pool is down";
    put_array("md100-mirrored.tree");
    EXPECT_EQ(watch.look(), Milliseconds{2'000});
    put_array("md100-ram-only.tree");
    EXPECT_EQ(watch.look(), std::nullopt) << "the image is free to be mended";
    PoolStore(system_.paths).remove("vm");
    EXPECT_EQ(watch.look(), std::nullopt);
}

} // namespace
} // namespace zraid
