#pragma once

#include "mirror/state.h"

#include <string>

namespace zraid::cli {

/// How something is, said by a colour too where colours are wanted.
enum class Mood
{
    plain,
    good,    ///< green
    warning, ///< yellow
    bad,     ///< red
};

/// Text for stdout.
std::string styled(const std::string& text, Mood mood);

Mood mood_of(PoolState state);

/// The one line on stderr that tells what failed: "zraid-pool: …".
/// @param text as explain() makes it
void print_error(const std::string& text);

} // namespace zraid::cli
