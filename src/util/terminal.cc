#include "util/terminal.h"

#include <cstdlib>
#include <string_view>

#include <unistd.h>

namespace zraid {

namespace {

std::string_view variable(const char* name)
{
    const char* value = std::getenv(name); // NOLINT(*-mt-unsafe): nobody changes the environment
    return value ? value : "";
}

} // namespace

bool can_draw(int fd)
{
    return ::isatty(fd) == 1 && variable("TERM") != "dumb";
}

bool in_colour(int fd)
{
    return can_draw(fd) && variable("NO_COLOR").empty();
}

} // namespace zraid
