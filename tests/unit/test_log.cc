#include "support/log_capture.h"
#include "util/log.h"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using testing::ElementsAre;

std::vector<std::string> texts(const KeptLines& kept)
{
    std::vector<std::string> texts;
    for (const KeptLines::Line& line : kept.lines())
        texts.push_back(line.text);
    return texts;
}

class Broken : public LogSink
{
public:
    void write(LogLevel, const std::string&) override { throw std::runtime_error("no room"); }
};

TEST(LogTest, EachTargetGetsWhatItWants)
{
    const auto all = std::make_shared<KeptLines>(9);
    const auto warnings = std::make_shared<KeptLines>(9);
    Log log({{all, LogLevel::debug}, {warnings, LogLevel::warning}});
    log.debug("{} steps", 3);
    log.info("{}", "done");
    log.warn("short of memory");
    log.error("{:.1f} %", 2.25);
    log.critical("lost");
    EXPECT_THAT(texts(*all), ElementsAre("3 steps", "done", "short of memory", "2.2 %", "lost"));
    EXPECT_THAT(texts(*warnings), ElementsAre("short of memory", "2.2 %", "lost"));
}

TEST(LogTest, ASinkThatFailsKeepsNoLineFromAnother)
{
    const auto kept = std::make_shared<KeptLines>(9);
    Log log({{std::make_shared<Broken>()}, {kept}});
    EXPECT_NO_THROW(log.info("line"));
    EXPECT_THAT(texts(*kept), ElementsAre("line"));
}

TEST(LogTest, ANameWithBracesIsText)
{
    const test::LogCapture capture;
    log().warn("{}", "domain '{}'");
    EXPECT_THAT(capture.lines(), ElementsAre("warning: domain '{}'"));
}

TEST(KeptLinesTest, KeepsTheNewest)
{
    KeptLines kept(2);
    for (const char* text : {"one", "two", "three"})
        kept.write(LogLevel::info, text);
    EXPECT_THAT(texts(kept), ElementsAre("two", "three"));
}

} // namespace
} // namespace zraid
