#include "util/log.h"

#include <algorithm>
#include <exception>

namespace zraid {

std::string to_string(LogLevel level)
{
    switch (level) {
    case LogLevel::debug:
        return "debug";
    case LogLevel::info:
        return "info";
    case LogLevel::warning:
        return "warning";
    case LogLevel::error:
        return "error";
    case LogLevel::critical:
        break;
    }
    return "critical";
}

namespace {

/// A sink that fails keeps no line from the others.
void write_to(LogSink& sink, LogLevel level, const std::string& text)
{
    try {
        sink.write(level, text);
    } catch (const std::exception&) {
        return;
    }
}

} // namespace

void Log::set(std::vector<Target> targets)
{
    const std::lock_guard lock(mutex_);
    targets_ = std::move(targets);
}

void Log::write(LogLevel level, fmt::string_view format, fmt::format_args arguments) noexcept
{
    const auto wants = [level](const Target& target) { return level >= target.least; };
    try {
        const std::lock_guard lock(mutex_);
        if (std::none_of(targets_.begin(), targets_.end(), wants))
            return;
        const std::string text = fmt::vformat(format, arguments);
        for (const Target& target : targets_) {
            if (wants(target))
                write_to(*target.sink, level, text);
        }
    } catch (const std::exception&) { // no memory
        return;
    }
}

Log& log()
{
    static Log common;
    return common;
}

} // namespace zraid
