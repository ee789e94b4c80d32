#include "adoption/copied_image.h"
#include "support/copied_record.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "util/fd.h"
#include "util/files.h"
#include "util/size.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::FakeSystem;
using ::testing::HasSubstr;

class Copied : public ::testing::Test
{
protected:
    Copied() { record.pool.size = adopted_size(record.size); }

    FakeSystem system;
    AdoptionRecord record = test::copied_record(system);
    CopiedImage image{system.paths, record};
};

TEST_F(Copied, LosesItsNameAndGetsItBack)
{
    EXPECT_TRUE(image.is_shown());
    image.hide(image.begin());
    EXPECT_FALSE(image.is_shown());
    EXPECT_FALSE(std::filesystem::exists(record.image));
    EXPECT_EQ(read_file(record.image + ".before-zraid"), "content");
    image.show();
    image.show();
    EXPECT_EQ(read_file(record.image), "content");
}

TEST_F(Copied, KeepsItsNameIfItWasChanged)
{
    const std::string stamp = image.begin();
    system.put("web.img", "CONTENT!");
    EXPECT_THAT(failure([&] { image.hide(stamp); }),
                HasSubstr("was changed while it was copied. Next: try again with the domain shut "
                          "off"));
    EXPECT_TRUE(image.is_shown());
}

TEST_F(Copied, KeepsItsNameWhileSomebodyHasItOpen)
{
    const std::string stamp = image.begin();
    const UniqueFd other = open_file(record.image, O_RDONLY);
    EXPECT_THAT(failure([&] { image.hide(stamp); }), HasSubstr("is in use"));
    EXPECT_THAT(failure([&] { image.begin(); }), HasSubstr("is in use"));
    EXPECT_TRUE(image.is_shown());
}

TEST_F(Copied, IsOneFile)
{
    system.put("web.img.before-zraid", "x");
    EXPECT_THAT(failure([&] { image.is_shown(); }), HasSubstr("there are both"));
    std::filesystem::remove(record.image);
    std::filesystem::remove(record.image + ".before-zraid");
    EXPECT_THAT(failure([&] { image.is_shown(); }), HasSubstr("there is neither"));
}

TEST_F(Copied, BeginsWithAFreshImage)
{
    system.put("web.img.zraid", "what a killed one left");
    image.make_pool_image();
    EXPECT_EQ(read_file(record.pool.image, 32 * MiB), std::string(record.pool.size, '\0'));
    image.remove_pool_image();
    image.remove_pool_image();
    EXPECT_FALSE(std::filesystem::exists(record.pool.image));
}

TEST(Room, IsAskedForWithFigures)
{
    const FakeSystem system;
    need_room(system.path(), 1, "x");
    EXPECT_THAT(failure([&] { need_room(system.path(), std::uint64_t{1} << 60U, "make room"); }),
                HasSubstr("the copy needs 1 EiB, and '" + system.path().string() + "' has "));
}

} // namespace
} // namespace zraid
