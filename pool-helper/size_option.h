#pragma once

#include "command_line.h"
#include "util/size.h"

#include <optional>
#include <string>

namespace zraid::cli {

/// A size on the command line. Kept as text until the command acts, so that a bad one is told in
/// our words.
class SizeOption
{
public:
    void add(OptionSet& command, const std::string& flag, const std::string& description)
    {
        option_ = command.add_option(flag, text_, description).type_name("SIZE");
    }

    /// @throws UsageError
    std::optional<std::uint64_t> bytes() const
    {
        return option_.is_given() ? std::optional(parse_size(text_)) : std::nullopt;
    }

private:
    std::string text_;
    Option option_;
};

} // namespace zraid::cli
