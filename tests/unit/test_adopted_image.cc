#include "adoption/adopted_image.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/pool_definitions.h"
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
using ::testing::AnyOf;
using ::testing::Eq;
using ::testing::HasSubstr;

class Image : public ::testing::Test
{
protected:
    Image()
    {
        for (std::size_t i = 0; i < MiB + 5; ++i)
            content_ += static_cast<char>('a' + i / 4096 % 26);
        record_.image = system_.put("web.img", content_);
        record_.size = content_.size();
        record_.pool = test::pool_definition("web");
        record_.pool.image = record_.image + ".zraid";
        record_.pool.size = adopted_size(record_.size);
        make_folder(system_.paths.etc / "adopted", 0700);
    }

    bool is_there(const std::string& path) const { return std::filesystem::exists(path); }

    FakeSystem system_;
    std::string content_;
    AdoptionRecord record_;
};

TEST_F(Image, LosesItsNameAndGetsItBack)
{
    const AdoptedImage image(system_.paths, record_);
    EXPECT_TRUE(image.is_shown());
    image.hide();
    image.hide();
    EXPECT_FALSE(image.is_shown());
    EXPECT_FALSE(image.is_array());
    EXPECT_FALSE(is_there(record_.image));
    image.show();
    image.show();
    EXPECT_EQ(read_file(record_.image), content_);
}

TEST_F(Image, KeepsItsNameWhileSomebodyHasItOpen)
{
    const AdoptedImage image(system_.paths, record_);
    const UniqueFd other = open_file(record_.image, O_RDWR);
    EXPECT_THAT(failure([&] { image.hide(); }), HasSubstr("is in use"));
    EXPECT_TRUE(image.is_shown());
}

TEST_F(Image, IsTheOneThatWasLookedAt)
{
    record_.size += 1;
    EXPECT_THAT(failure([&] { AdoptedImage(system_.paths, record_).hide(); }),
                HasSubstr("has 1048581 bytes, not 1048582"));
    EXPECT_TRUE(is_there(record_.image));
}

TEST_F(Image, IsOneFile)
{
    const AdoptedImage image(system_.paths, record_);
    system_.put("web.img.zraid", "x");
    EXPECT_THAT(failure([&] { image.hide(); }), HasSubstr("there are both"));
    std::filesystem::remove(record_.image);
    std::filesystem::remove(record_.pool.image);
    EXPECT_THAT(failure([&] { image.hide(); }), HasSubstr("there is neither"));
}

// On a file system that can insert a range it is there and back; on any other nothing changes.
TEST_F(Image, IsShiftedAndShiftedBack)
{
    const AdoptedImage image(system_.paths, record_);
    image.hide();
    const std::string problem = failure([&] { image.shift_in(); });
    ASSERT_THAT(problem, AnyOf(Eq("no error"),
                               HasSubstr("--copy makes a copy, or move the image to xfs or ext4")));
    if (problem == "no error") {
        const std::string shifted = read_file(record_.pool.image, 32 * MiB);
        EXPECT_EQ(shifted.size(), record_.pool.size);
        EXPECT_EQ(shifted.substr(kAdoptedFront, record_.size), content_);
        EXPECT_EQ(shifted.find_first_not_of('\0'), kAdoptedFront);
        image.shift_in(); // again: it is there
        EXPECT_EQ(read_file(record_.pool.image, 32 * MiB), shifted);
        EXPECT_TRUE(is_there(AdoptionStore(system_.paths).map_file("web")));
    }
    image.shift_out();
    image.shift_out();
    EXPECT_EQ(read_file(record_.pool.image), content_);
    image.show();
    image.forget_map();
    image.forget_map();
    EXPECT_EQ(read_file(record_.image), content_);
}

TEST_F(Image, ThatAPowerCutLeftHalfShiftedIsPutTogether)
{
    const AdoptedImage image(system_.paths, record_);
    image.hide();
    if (failure([&] { image.shift_in(); }) != "no error")
        return; // no such file system: no such shift
    image.shift_out();
    {
        const UniqueFd fd = open_file(record_.pool.image, O_RDWR);
        ASSERT_EQ(::fallocate(fd.get(), FALLOC_FL_INSERT_RANGE, 512 * KiB, 2 * MiB), 0);
    }
    image.shift_out();
    EXPECT_EQ(read_file(record_.pool.image), content_);
}

} // namespace
} // namespace zraid
