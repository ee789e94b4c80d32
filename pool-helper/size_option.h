#pragma once

#include "util/size.h"

#include <optional>
#include <string>

#include <CLI/CLI.hpp>

namespace zraid::cli {

/// A size on the command line. Kept as text until the command acts, so that a bad one is told in
/// our words.
class SizeOption
{
public:
    void add(CLI::App& command, const std::string& flag, const std::string& description)
    {
        option_ = command.add_option(flag, text_, description)->type_name("SIZE");
    }
    void require() { option_->required(); }

    /// @throws UsageError
    std::optional<std::uint64_t> bytes() const
    {
        return option_->count() == 0 ? std::nullopt : std::optional(parse_size(text_));
    }

private:
    std::string text_;
    CLI::Option* option_ = nullptr;
};

} // namespace zraid::cli
