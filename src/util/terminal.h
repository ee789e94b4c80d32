#pragma once

namespace zraid {

/// May something be drawn over itself there? A terminal that is not a dumb one (TERM=dumb).
/// @param fd such as STDOUT_FILENO
bool can_draw(int fd);

/// Colours are for people who look at a terminal and did not say no with NO_COLOR
/// (https://no-color.org).
bool in_colour(int fd);

} // namespace zraid
