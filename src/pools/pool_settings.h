#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace zraid {

/// When a pool has its RAM leg.
enum class AttachPolicy
{
    on_demand, ///< while a domain uses the pool
    always,    ///< from start to stop
};

/// What becomes of a write that no flush follows.
enum class Writes
{
    cached,  ///< it is in the host's page cache when it returns: memory speed
    through, ///< it is handed to the image's device first (direct I/O)
};

/// How a pool is run, as the administrator said it: the same in what is asked for and in what is
/// defined. Nothing here is chosen by zraid.
struct PoolSettings
{
    std::string description;
    AttachPolicy attach = AttachPolicy::on_demand;
    Writes writes = Writes::cached;
    std::string compressor;                 ///< empty: the kernel's default
    std::string recompressor;               ///< stronger one for idle pages; empty: none
    std::optional<std::uint64_t> ram_limit; ///< bytes that stored data may take; nothing: its size
    bool ram_required = false;              ///< a domain does not start without the RAM leg
    bool libvirt = true;                    ///< registered as a libvirt storage pool
    bool autostart = true;                  ///< … which libvirt starts by itself

    bool operator==(const PoolSettings&) const = default;
};

std::string to_string(AttachPolicy policy);
std::string to_string(Writes writes);
/// @throws UsageError that lists the valid words
AttachPolicy parse_attach_policy(const std::string& text);
Writes parse_writes(const std::string& text);

} // namespace zraid
