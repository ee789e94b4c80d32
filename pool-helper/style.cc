#include "style.h"

#include "util/terminal.h"

#include <iostream>

#include <fmt/color.h>
#include <fmt/format.h>
#include <unistd.h>

namespace zraid::cli {

namespace {

fmt::text_style style_of(Mood mood)
{
    switch (mood) {
    case Mood::good:
        return fmt::fg(fmt::terminal_color::green);
    case Mood::warning:
        return fmt::fg(fmt::terminal_color::yellow);
    case Mood::bad:
        return fmt::fg(fmt::terminal_color::red);
    case Mood::plain:
        break;
    }
    return {};
}

} // namespace

std::string styled(const std::string& text, Mood mood)
{
    if (mood == Mood::plain || !in_colour(STDOUT_FILENO))
        return text;
    return fmt::format(style_of(mood), "{}", text);
}

Mood mood_of(PoolState state)
{
    switch (state) {
    case PoolState::mirrored:
        return Mood::good;
    case PoolState::filling:
        return Mood::warning;
    case PoolState::ram_only:
    case PoolState::failed:
        return Mood::bad;
    case PoolState::inactive:
    case PoolState::disk_only:
        break;
    }
    return Mood::plain;
}

void print_error(const std::string& text)
{
    const std::string program = "zraid-pool:";
    std::cerr << (in_colour(STDERR_FILENO) ? fmt::format(style_of(Mood::bad), "{}", program)
                                           : program)
              << ' ' << text << '\n';
}

} // namespace zraid::cli
