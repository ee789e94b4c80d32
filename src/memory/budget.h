#pragma once

#include "util/paths.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace zraid {

/// What /proc/meminfo says, in bytes.
struct MemoryInfo
{
    std::uint64_t total = 0;
    std::uint64_t available = 0;
};

/// @throws Error if the kernel's file cannot be read or lacks a figure
MemoryInfo read_memory(const Paths& paths);

/// What one attached RAM leg takes now and may take at worst, in bytes.
struct RamUse
{
    std::uint64_t taken = 0;
    std::uint64_t worst = 0;
};

/// How much memory all RAM legs together may take.
struct MemoryPolicy
{
    unsigned percent = 90;              ///< of MemAvailable at the moment of an attach
    std::optional<std::uint64_t> limit; ///< bytes, of all of them at worst; nothing: no such limit
};

/// Worst case of a RAM leg: its table, and as much stored data as its limit allows (its size, if it
/// has none). All in bytes; limit 0 means none.
std::uint64_t worst_case(std::uint64_t size, std::uint64_t limit);

/// Bytes that one more RAM leg may take at worst: the policy's share of what is available now, less
/// what the attached ones have been promised and have not taken yet; and no more than the policy's
/// limit leaves.
std::uint64_t room_for_ram(const MemoryInfo& memory, const std::vector<RamUse>& attached,
                           const MemoryPolicy& policy = {});

} // namespace zraid
