#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

namespace zraid {

enum class LogLevel
{
    debug,
    info,
    warning,
    error,
    critical,
};

std::string to_string(LogLevel level);

/// Where lines go.
class LogSink
{
public:
    LogSink() = default;
    virtual ~LogSink() = default;
    LogSink(const LogSink&) = delete;
    LogSink& operator=(const LogSink&) = delete;
    LogSink(LogSink&&) = delete;
    LogSink& operator=(LogSink&&) = delete;

    /// Called by any thread, but by one at a time.
    /// @param text without a newline at its end
    virtual void write(LogLevel level, const std::string& text) = 0;
};

/// Lines for people who look for what happened. To be used by any number of threads. Nothing here
/// throws: a line that cannot be told is lost, and what it was about goes on.
class Log
{
public:
    struct Target
    {
        std::shared_ptr<LogSink> sink;
        LogLevel least = LogLevel::info; ///< what is below is not for this sink
    };

    explicit Log(std::vector<Target> targets = {}) : targets_(std::move(targets)) {}
    void set(std::vector<Target> targets);

    template <typename... Args>
    void debug(fmt::format_string<Args...> format, Args&&... arguments)
    {
        write(LogLevel::debug, format, fmt::make_format_args(arguments...));
    }
    template <typename... Args>
    void info(fmt::format_string<Args...> format, Args&&... arguments)
    {
        write(LogLevel::info, format, fmt::make_format_args(arguments...));
    }
    template <typename... Args>
    void warn(fmt::format_string<Args...> format, Args&&... arguments)
    {
        write(LogLevel::warning, format, fmt::make_format_args(arguments...));
    }
    template <typename... Args>
    void error(fmt::format_string<Args...> format, Args&&... arguments)
    {
        write(LogLevel::error, format, fmt::make_format_args(arguments...));
    }
    template <typename... Args>
    void critical(fmt::format_string<Args...> format, Args&&... arguments)
    {
        write(LogLevel::critical, format, fmt::make_format_args(arguments...));
    }

private:
    /// A plain function, so that fmt's engine is compiled once and not in each source that logs.
    void write(LogLevel level, fmt::string_view format, fmt::format_args arguments) noexcept;

    std::mutex mutex_;
    std::vector<Target> targets_;
};

/// The log of all of the library; silent until a program sets its targets.
Log& log();

} // namespace zraid
