#include "support/temporary_folder.h"
#include "util/journal_sink.h"

#include <array>
#include <chrono>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace zraid {
namespace {

using namespace std::string_literals;
using test::TemporaryFolder;
using testing::HasSubstr;
using testing::StartsWith;

TEST(JournalEntryTest, IsALineForEachField)
{
    EXPECT_EQ(journal_entry("zraid-hook", 4, "pool 'vm': all is well", {{"POOL", "vm"}}),
              "MESSAGE=pool 'vm': all is well\nPRIORITY=4\nSYSLOG_FACILITY=3\n"
              "SYSLOG_IDENTIFIER=zraid-hook\nSYSLOG_PID=" +
                  std::to_string(::getpid()) + "\nPOOL=vm\n");
}

TEST(JournalEntryTest, ALineBreakIsNoNewField)
{
    EXPECT_THAT(journal_entry("x", 6, "a\nPOOL=b", {}),
                StartsWith("MESSAGE\n\x08\0\0\0\0\0\0\0a\nPOOL=b\nPRIORITY=6\n"s));
}

TEST(JournalSinkTest, PrioritiesAreThoseOfSyslog)
{
    EXPECT_EQ(priority_of(LogLevel::critical), 2);
    EXPECT_EQ(priority_of(LogLevel::error), 3);
    EXPECT_EQ(priority_of(LogLevel::warning), 4);
    EXPECT_EQ(priority_of(LogLevel::info), 6);
    EXPECT_EQ(priority_of(LogLevel::debug), 7);
}

/// What takes the place of journald.
class Journal
{
public:
    explicit Journal(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_DGRAM, 0))
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
        EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    std::string read() const
    {
        std::array<char, 4096> buffer{};
        const ssize_t n = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        return n < 0 ? "nothing" : std::string(buffer.data(), static_cast<std::size_t>(n));
    }

private:
    UniqueFd fd_;
};

TEST(JournalSinkTest, SendsALineWithTheFieldsOfItsThread)
{
    const TemporaryFolder folder;
    const Journal journal(folder / "socket");
    Log logger({{std::make_shared<JournalSink>("zraid-pool", folder / "socket")}});
    const LogField field("DOMAIN", "web");
    logger.warn("short of memory");
    const std::string entry = journal.read();
    EXPECT_THAT(entry, StartsWith("MESSAGE=short of memory\nPRIORITY=4\n"));
    EXPECT_THAT(entry, HasSubstr("\nDOMAIN=web\n"));
    logger.debug("not wanted");
    EXPECT_EQ(journal.read(), "nothing");
}

TEST(JournalSinkTest, AJournalThatDoesNotReadIsNotWaitedForLong)
{
    const TemporaryFolder folder;
    const Journal journal(folder / "socket");
    Log logger({{std::make_shared<JournalSink>("zraid-pool", folder / "socket")}});
    // As many as the socket takes (net.unix.max_dgram_qlen), and one more.
    const auto begun = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - begun < std::chrono::milliseconds(900))
        logger.info("line");
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
    EXPECT_THAT(journal.read(), StartsWith("MESSAGE=line\n"));
}

} // namespace
} // namespace zraid
