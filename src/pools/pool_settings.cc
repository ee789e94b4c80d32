#include "pools/pool_settings.h"

#include "util/error.h"

#include <fmt/format.h>

namespace zraid {

std::string to_string(AttachPolicy policy)
{
    return policy == AttachPolicy::always ? "always" : "on-demand";
}

std::string to_string(Writes writes)
{
    return writes == Writes::through ? "through" : "cached";
}

AttachPolicy parse_attach_policy(const std::string& text)
{
    if (text == "on-demand")
        return AttachPolicy::on_demand;
    if (text == "always")
        return AttachPolicy::always;
    throw UsageError(fmt::format("'{}' is no way to attach", text),
                     "choose on-demand (while a domain uses the pool) or always");
}

Writes parse_writes(const std::string& text)
{
    if (text == "cached")
        return Writes::cached;
    if (text == "through")
        return Writes::through;
    throw UsageError(fmt::format("'{}' is no way to write", text),
                     "choose cached (unflushed writes stay in the host's memory for a while) or "
                     "through (each goes to the disk)");
}

} // namespace zraid
