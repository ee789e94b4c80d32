#pragma once

#include "util/log.h"

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

namespace zraid {

/// Keeps the newest lines, for whoever wants to tell of them later.
class KeptLines : public LogSink
{
public:
    struct Line
    {
        LogLevel level;
        std::string text;
    };

    /// @param most so many lines; older ones are dropped
    explicit KeptLines(std::size_t most) : most_(most) {}

    void write(LogLevel level, const std::string& text) override;

    /// The oldest first.
    std::vector<Line> lines() const;

private:
    std::size_t most_;
    mutable std::mutex mutex_;
    std::deque<Line> lines_;
};

} // namespace zraid
