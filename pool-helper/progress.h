#pragma once

#include <iostream>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

namespace zraid::cli {

/// A bar that is drawn over itself on a terminal; nothing where the output is no terminal.
class ProgressBar
{
public:
    ~ProgressBar()
    {
        if (drawn_)
            std::cout << std::endl; // NOLINT(performance-avoid-endl)
    }
    ProgressBar() = default;
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;
    ProgressBar(ProgressBar&&) = delete;
    ProgressBar& operator=(ProgressBar&&) = delete;

    /// @param note behind the figure
    void show(double percent, const std::string& note = {})
    {
        if (!terminal_)
            return;
        constexpr int width = 40;
        const auto done = static_cast<std::size_t>(percent / 100 * width);
        std::cout << fmt::format("\r[{:<{}}] {:5.1f} %{:<20}", std::string(done, '#'), width,
                                 percent, note)
                  << std::flush;
        drawn_ = true;
    }

private:
    bool terminal_ = ::isatty(STDOUT_FILENO) == 1;
    bool drawn_ = false;
};

} // namespace zraid::cli
