#pragma once

#include "mirror/fill.h"
#include "util/text.h"

#include <string>

namespace zraid::cli {

/// ", 8 s left"; empty while there is no figure.
inline std::string remaining_text(const FillProgress& fill)
{
    const auto time = fill.remaining();
    return time ? ", " + format_duration(*time) + " left" : "";
}

} // namespace zraid::cli
