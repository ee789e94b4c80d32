#include "admin/run.h"
#include "commands.h"

#include <iostream>

#include <fmt/format.h>
#include <unistd.h>

namespace zraid::cli {

namespace {

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

    void show(double percent)
    {
        if (!terminal_)
            return;
        constexpr int width = 40;
        const auto done = static_cast<std::size_t>(percent / 100 * width);
        std::cout << fmt::format("\r[{:<{}}] {:5.1f} %", std::string(done, '#'), width, percent)
                  << std::flush;
        drawn_ = true;
    }

private:
    bool terminal_ = ::isatty(STDOUT_FILENO) == 1;
    bool drawn_ = false;
};

void act(const Admin& admin, const std::string& name, std::optional<double> seconds)
{
    std::optional<Milliseconds> limit;
    if (seconds)
        limit = Milliseconds(static_cast<std::int64_t>(*seconds * 1000));
    {
        ProgressBar bar;
        wait_pool(admin, name, limit, [&](const PoolView& view) {
            if (const auto percent = view.fill_percent())
                bar.show(*percent);
        });
    }
    std::cout << fmt::format("Pool '{}' is mirrored.\n", name);
}

} // namespace

void add_wait(CLI::App& app, const Admin& admin)
{
    const auto seconds = std::make_shared<std::optional<double>>();
    CLI::App* command = add_pool_command(
        app, "wait", "wait until the RAM leg is filled",
        [&admin, seconds](const std::string& name) { act(admin, name, *seconds); });
    command->add_option("--timeout", *seconds, "give up after so many seconds")
        ->type_name("S")
        ->check(CLI::Range(0.0, 1e9));
}

} // namespace zraid::cli
