#include "admin/recompress.h"
#include "support/failure.h"
#include "support/saved_pool.h"
#include "util/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Recompress : public test::SavedPool
{
protected:
    Recompress()
    {
        pool_.settings.recompressor = "zstd";
        save();
        put_array("md100-mirrored.tree");
        system_.put_all("sys/block/zram0", {{"disksize", "67108864"},
                                            {"mm_stat", "4096 1000 8192 0 8192 0 0 0 0"},
                                            {"recomp_algorithm", "#1: lzo [zstd]"},
                                            {"idle", ""},
                                            {"recompress", ""}});
    }
    RecompressResult run() { return recompress_pool(admin_, "vm", std::chrono::hours(2)); }
    std::string refusal()
    {
        return failure([&] { run(); });
    }
};

TEST_F(Recompress, TellsWhatTheLegTakes)
{
    const RecompressResult result = run();
    EXPECT_EQ(result.before, 8192U);
    EXPECT_EQ(result.after, 8192U);
    EXPECT_EQ(read_file(system_ / "sys/block/zram0/idle"), "7200");
    EXPECT_EQ(read_file(system_ / "sys/block/zram0/recompress"), "type=idle");
}

TEST_F(Recompress, NeedsAKernelThatCan)
{
    system_.remove("sys/block/zram0/recomp_algorithm");
    EXPECT_THAT(refusal(), StartsWith("this kernel's zram cannot recompress. Next: "));
    EXPECT_EQ(read_file(system_ / "sys/block/zram0/idle"), "\n") << "nothing was touched";
}

TEST_F(Recompress, NeedsARamLegAndARecompressor)
{
    put_array("md100-disk-only.tree");
    EXPECT_EQ(refusal(), "it has no RAM leg. Next: zraid-pool attach vm");
    pool_.settings.recompressor = "";
    save();
    EXPECT_THAT(refusal(), HasSubstr("it has no recompressor"));
}

} // namespace
} // namespace zraid
