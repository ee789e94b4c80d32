#pragma once

#include "util/terminal.h"

#include <chrono>
#include <iostream>
#include <string>
#include <utility>

#include <fmt/core.h>
#include <unistd.h>

namespace zraid::cli {

/// Where no bar can be drawn: a line for each 10 %, but none of work that is soon done, none on
/// each other's heels, and one now and then of work that hardly moves.
class ProgressLines
{
public:
    using Clock = std::chrono::steady_clock;

    explicit ProgressLines(Clock::time_point begun) : told_(begun) {}

    bool due(double percent, Clock::time_point now)
    {
        const auto silent = now - told_;
        const int tenth = static_cast<int>(percent / 10);
        if (silent < kShortest || (tenth <= tenth_ && silent < kLongest))
            return false;
        told_ = now;
        tenth_ = tenth;
        return true;
    }

private:
    static constexpr std::chrono::seconds kShortest{2};
    static constexpr std::chrono::seconds kLongest{30};

    Clock::time_point told_;
    int tenth_ = 0;
};

/// How far long work has come, on stdout: a bar that is drawn over itself on a terminal, plain
/// lines anywhere else.
class ProgressBar
{
public:
    /// @param what in front of the figure in a plain line, such as "Pool 'x' is filling"
    explicit ProgressBar(std::string what) : what_(std::move(what)) {}
    ~ProgressBar()
    {
        if (drawn_)
            std::cout << std::endl; // NOLINT(performance-avoid-endl)
    }
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;
    ProgressBar(ProgressBar&&) = delete;
    ProgressBar& operator=(ProgressBar&&) = delete;

    /// @param percent 0 to 100
    /// @param note behind the figure, such as ", 8 s left"
    void show(double percent, const std::string& note = {})
    {
        if (bar_)
            draw(percent, note);
        else if (lines_.due(percent, ProgressLines::Clock::now()))
            std::cout << fmt::format("{}: {:.0f} %{}\n", what_, percent, note) << std::flush;
    }

private:
    void draw(double percent, const std::string& note)
    {
        constexpr int width = 40;
        const auto done = static_cast<std::size_t>(percent / 100 * width);
        std::cout << fmt::format("\r[{:<{}}] {:5.1f} %{:<20}", std::string(done, '#'), width,
                                 percent, note)
                  << std::flush;
        drawn_ = true;
    }

    std::string what_;
    bool bar_ = can_draw(STDOUT_FILENO);
    bool drawn_ = false;
    ProgressLines lines_{ProgressLines::Clock::now()};
};

} // namespace zraid::cli
