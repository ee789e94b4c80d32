#pragma once

#include "util/log.h"

#include <memory>
#include <string>
#include <vector>

#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/ringbuffer_sink.h>

namespace zraid::test {

/// Collects what the library logs, each line as "level: text".
class LogCapture
{
public:
    explicit LogCapture(spdlog::level::level_enum level = spdlog::level::warn)
    {
        auto logger = std::make_shared<spdlog::logger>("test", sink_);
        logger->set_level(level);
        logger->set_pattern("%l: %v");
        set_log(std::move(logger));
    }
    ~LogCapture()
    {
        set_log(std::make_shared<spdlog::logger>("silent",
                                                 std::make_shared<spdlog::sinks::null_sink_mt>()));
    }
    LogCapture(const LogCapture&) = delete;
    LogCapture& operator=(const LogCapture&) = delete;
    LogCapture(LogCapture&&) = delete;
    LogCapture& operator=(LogCapture&&) = delete;

    std::vector<std::string> lines() const
    {
        std::vector<std::string> lines = sink_->last_formatted();
        for (std::string& line : lines)
            line.erase(line.find_last_not_of('\n') + 1);
        return lines;
    }

private:
    std::shared_ptr<spdlog::sinks::ringbuffer_sink_mt> sink_ =
        std::make_shared<spdlog::sinks::ringbuffer_sink_mt>(256);
};

} // namespace zraid::test
