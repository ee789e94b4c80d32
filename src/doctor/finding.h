#pragma once

#include <string>
#include <vector>

namespace zraid {

/// How bad it is.
enum class Severity
{
    good,
    note,    ///< worth knowing, nothing to do
    warning, ///< works, but not as well or as safely as it could
    error,   ///< something does not work
};

std::string to_string(Severity severity);

/// What one look at the host found.
struct Finding
{
    Severity severity = Severity::good;
    std::string subject; ///< one word or two: "kernel", "pool 'vm'"
    std::string what;    ///< in one line
    std::string next;    ///< what to do; empty: nothing

    bool operator==(const Finding&) const = default;
};

using Findings = std::vector<Finding>;

} // namespace zraid
