#pragma once

#include "command_line.h"

#include <functional>
#include <string>

namespace zraid::cli {

/// A command that destroys data asks before it does: on a terminal by a question, in a script by
/// --yes.
class Consent
{
public:
    /// Gives the command its --yes.
    void add(OptionSet& command);

    /// Returns if the administrator wants it. To be called before anything is changed, and without
    /// a lock: an answer takes its time.
    /// @param what is going to be gone, in sentences; called only if there is a question
    /// @throws UsageError if there is neither --yes nor a terminal to ask on
    /// @throws Error if the answer is no
    void need(const std::function<std::string()>& what) const;

private:
    bool yes_ = false;
};

/// Is it a yes? All but "y" and "yes" is none.
bool is_yes(std::string answer);

} // namespace zraid::cli
