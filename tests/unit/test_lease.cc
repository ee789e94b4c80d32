#include "devices/lease.h"
#include "support/failure.h"
#include "support/temporary_folder.h"
#include "util/fd.h"

#include <cerrno>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::TemporaryFolder;
using ::testing::HasSubstr;

class Lease : public ::testing::Test
{
protected:
    TemporaryFolder folder_;
    std::string file_ = folder_.put("image", "x");
};

TEST_F(Lease, IsHadWhereNobodyElseHasTheFileOpen)
{
    const UniqueFd fd = open_file(file_, O_RDWR);
    EXPECT_TRUE(ExclusiveLease(fd.get(), file_).whole());
    // Given back: it can be had again.
    EXPECT_TRUE(ExclusiveLease(fd.get(), file_).whole());
}

TEST_F(Lease, IsRefusedWhereSomebodyHas)
{
    const UniqueFd other = open_file(file_, O_RDWR);
    const UniqueFd fd = open_file(file_, O_RDWR);
    EXPECT_THAT(failure([&] { ExclusiveLease(fd.get(), file_); }),
                HasSubstr("image' is in use. Next: close what has it open"));
}

TEST_F(Lease, SeesThatSomebodyTries)
{
    const UniqueFd fd = open_file(file_, O_RDWR);
    const ExclusiveLease lease(fd.get(), file_);
    EXPECT_EQ(::open(file_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC), -1); // NOLINT(*-vararg)
    EXPECT_EQ(errno, EWOULDBLOCK);
    EXPECT_FALSE(lease.whole());
}

} // namespace
} // namespace zraid
