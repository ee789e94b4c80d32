#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace zraid {

inline constexpr std::uint64_t KiB = 1024;
inline constexpr std::uint64_t MiB = 1024 * KiB;
inline constexpr std::uint64_t GiB = 1024 * MiB;
inline constexpr std::uint64_t TiB = 1024 * GiB;

/// The least multiple of `unit` that has room for so many bytes.
constexpr std::uint64_t round_up(std::uint64_t bytes, std::uint64_t unit)
{
    return (bytes + unit - 1) / unit * unit;
}

/// Reads a size as virsh does: a whole number and an optional unit. No unit or `b`, `bytes`: bytes;
/// `k`, `K`, `KiB`, … `E`, `EiB`: powers of 1024; `KB`, `MB`, … `EB`: powers of 1000.
/// @return bytes
/// @throws UsageError for anything else, also for a number that overflows 64 bits
std::uint64_t parse_size(std::string_view text);

/// Bytes for people: "1.5 GiB", "512 B".
std::string format_size(std::uint64_t bytes);

} // namespace zraid
