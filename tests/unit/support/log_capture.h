#pragma once

#include "util/kept_lines.h"
#include "util/log.h"

#include <memory>
#include <string>
#include <vector>

namespace zraid::test {

/// Collects what the library logs, each line as "level: text".
class LogCapture
{
public:
    explicit LogCapture(LogLevel level = LogLevel::warning) { log().set({{kept_, level}}); }
    ~LogCapture() { log().set({}); }
    LogCapture(const LogCapture&) = delete;
    LogCapture& operator=(const LogCapture&) = delete;
    LogCapture(LogCapture&&) = delete;
    LogCapture& operator=(LogCapture&&) = delete;

    std::vector<std::string> lines() const
    {
        std::vector<std::string> lines;
        for (const KeptLines::Line& line : kept_->lines())
            lines.push_back(to_string(line.level) + ": " + line.text);
        return lines;
    }

private:
    std::shared_ptr<KeptLines> kept_ = std::make_shared<KeptLines>(256);
};

} // namespace zraid::test
