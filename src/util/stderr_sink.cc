#include "util/stderr_sink.h"

#include "util/terminal.h"

#include <cstdio>

#include <unistd.h>

namespace zraid {

namespace {

/// ECMA-48's way to begin a colour.
const char* colour_of(LogLevel level)
{
    switch (level) {
    case LogLevel::debug:
        return "\033[36m";
    case LogLevel::info:
        return "\033[32m";
    case LogLevel::warning:
        return "\033[33m\033[1m";
    case LogLevel::error:
        return "\033[31m\033[1m";
    case LogLevel::critical:
        break;
    }
    return "\033[1m\033[41m";
}

} // namespace

StderrSink::StderrSink(std::string program)
    : program_(std::move(program)), in_colour_(in_colour(STDERR_FILENO))
{
}

void StderrSink::write(LogLevel level, const std::string& text)
{
    std::string word = to_string(level);
    if (in_colour_)
        word = colour_of(level) + word + "\033[m";
    // What could be done about a stderr that takes nothing?
    (void)std::fputs(fmt::format("{}: {}: {}\n", program_, word, text).c_str(), stderr);
}

} // namespace zraid
