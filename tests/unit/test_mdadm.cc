#include "devices/mdadm.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/log_capture.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::FakeSystem;
using test::LogCapture;
using ::testing::StartsWith;

// mdadm is run for real, on device nodes that do not exist: it refuses, and the log has what it was
// called with. What it does to arrays is for tests/lab.
class MdadmTest : public ::testing::Test
{
protected:
    /// The command line of a call, "DEV" for the folder of devices and "SHARE" for that of the
    /// configuration.
    std::string line(const std::function<void(const Mdadm&)>& call) const
    {
        const LogCapture log(LogLevel::debug);
        const std::string text = failure([&] { call(Mdadm(system_.paths, -1)); });
        EXPECT_THAT(text, StartsWith("run 'mdadm "));
        const std::string logged = log.lines().empty() ? "" : log.lines().at(0);
        const std::string begin = "debug: ran '";
        std::string line = logged.substr(0, logged.rfind("': exit code"));
        line.erase(0, begin.size());
        replace(line, system_.paths.dev.string() + "/", "DEV/");
        replace(line, system_.paths.share.string() + "/", "SHARE/");
        return line;
    }
    static void replace(std::string& text, const std::string& from, const std::string& to)
    {
        for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
            text.replace(at, from.size(), to);
    }

    FakeSystem system_;
    Uuid uuid_ = Uuid::parse("0123abcd-4567-89ef-fedc-ba9876543210");
};

TEST_F(MdadmTest, CreatesAnArrayThatCountsOnTheDiskLegAlone)
{
    EXPECT_EQ(
        line([&](const Mdadm& mdadm) { mdadm.create(100, uuid_, "zraid:vm", 4 << 20, "loop3"); }),
        "mdadm --create DEV/md100 --run --quiet --config=SHARE/mdadm.conf --metadata=1.2 "
        "--level=1 --raid-devices=2 --data-offset=1M --homehost=zraid "
        "--uuid=0123abcd:456789ef:fedcba98:76543210 --name=vm --bitmap=internal "
        "--bitmap-chunk=4096K --write-mostly DEV/loop3 missing");
}

TEST_F(MdadmTest, AssemblesByTheUuid)
{
    EXPECT_EQ(line([&](const Mdadm& mdadm) { mdadm.assemble(100, uuid_, "loop3"); }),
              "mdadm --assemble DEV/md100 --run --quiet --config=SHARE/mdadm.conf --homehost=any "
              "--uuid=0123abcd:456789ef:fedcba98:76543210 DEV/loop3");
}

TEST_F(MdadmTest, GrowsAnArrayToItsMembers)
{
    EXPECT_EQ(line([](const Mdadm& mdadm) { mdadm.grow(100); }),
              "mdadm --grow DEV/md100 --size=max");
}

TEST_F(MdadmTest, AddsAMember)
{
    EXPECT_EQ(line([](const Mdadm& mdadm) { mdadm.add(100, "zram1"); }),
              "mdadm --manage DEV/md100 --quiet --add DEV/zram1");
}

TEST_F(MdadmTest, StopsAnArray)
{
    EXPECT_EQ(line([](const Mdadm& mdadm) { mdadm.stop(100); }), "mdadm --stop DEV/md100");
}

TEST_F(MdadmTest, TellsWhatMdadmSays)
{
    EXPECT_THAT(failure([&] { Mdadm(system_.paths, -1).stop(100); }),
                ::testing::HasSubstr("exit code 1: mdadm: "));
}

} // namespace
} // namespace zraid
