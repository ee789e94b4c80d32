#pragma once

#include "admin/define.h"
#include "command_line.h"
#include "size_option.h"

#include <string>

namespace zraid::cli {

/// What `define` and `adopt` are told about a pool's RAM leg, writes and array alike. Words are
/// kept as text until the command acts, so that a wrong one is told in our words.
class PoolOptions
{
public:
    /// @param request outlives the command's parsing; what needs no reading goes there at once
    void add(OptionSet& command, DefineRequest& request);

    /// @throws UsageError
    void read_into(DefineRequest& request) const;

private:
    std::string attach_ = "on-demand";
    std::string writes_ = "cached";
    SizeOption ram_limit_;
    SizeOption bitmap_chunk_;
};

} // namespace zraid::cli
