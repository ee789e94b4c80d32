#pragma once

#include "util/paths.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace zraid {

/// Settings of a zram device, made anew each time: a reset forgets them.
struct ZramSettings
{
    std::string compressor;     ///< empty: the kernel's default
    std::uint64_t limit = 0;    ///< mem_limit, bytes; 0: none
    std::uint64_t size = 0;     ///< disksize, bytes
    std::string recompressor{}; ///< empty: none
};

/// Figures of mm_stat (Documentation/admin-guide/blockdev/zram.rst), all in bytes.
struct ZramStatistics
{
    std::uint64_t size = 0;       ///< disksize
    std::uint64_t data = 0;       ///< what was stored, before compression
    std::uint64_t compressed = 0; ///< the same, after compression
    std::uint64_t stored = 0;     ///< memory taken for it, with the allocator's overhead
    std::uint64_t limit = 0;      ///< mem_limit; 0: none
    std::uint64_t peak = 0;       ///< most that was asked for so far; past the limit: refused
    std::uint64_t uniform = 0;    ///< of data, pages of one value (zeros), which take no memory
    std::uint64_t table = 0;      ///< the table of pages, allocated with the size
};

/// Memory that zram takes for its table, at once, for a device of this size. 24 bytes a page: the
/// kernel's entry is 16 bytes, or 24 with CONFIG_ZRAM_MEMORY_TRACKING or _TRACK_ENTRY_ACTIME, which
/// cannot be seen from outside.
std::uint64_t zram_table_bytes(std::uint64_t size);

/// Largest zram device, bytes: page numbers are 32 bits.
inline constexpr std::uint64_t kZramMaxSize = std::uint64_t{16} << 40U;

/// Loads the module, without devices of its own, if zram is not there yet.
void ensure_zram(const Paths& paths);

/// The number the next hot_add gives: the kernel takes the lowest free one.
int next_zram_number(const Paths& paths);

/// Makes a new, unconfigured zram device. @return its name, such as "zram1"
std::string add_zram(const Paths& paths);

/// Compressor and limit first, then the size: the order the kernel demands.
void configure_zram(const Paths& paths, const std::string& name, const ZramSettings& settings);

/// Compressors that the kernel offers for this device.
std::vector<std::string> zram_compressors(const Paths& paths, const std::string& name);
/// The compressor a device uses; empty if there is no such device, it may have just gone.
std::string zram_compressor(const Paths& paths, const std::string& name);

/// Can zram compress pages anew with another compressor (CONFIG_ZRAM_MULTI_COMP, Linux 6.2)?
bool can_recompress(const Paths& paths, const std::string& name);

/// Compresses pages anew with the device's recompressor; returns when it is done.
/// @param idle only pages that nobody touched for so long (CONFIG_ZRAM_TRACK_ENTRY_ACTIME, or
///        _MEMORY_TRACKING before); nothing: all
/// @throws SystemError
void recompress_zram(const Paths& paths, const std::string& name,
                     std::optional<std::chrono::seconds> idle);

/// @return nothing if there is no such device
std::optional<ZramStatistics> zram_statistics(const Paths& paths, const std::string& name);

/// Number of this instance of the device, which no later device gets, whatever its name
/// (/sys/block/…/diskseq, Linux 5.15); empty if the device is not there or the kernel has none.
std::string disk_sequence(const Paths& paths, const std::string& name);

/// Resets a device and removes it; its memory is free afterwards. Waits some seconds for others to
/// close it (udev). Nothing happens if it is not there.
/// @throws Error if it stays in use
void remove_zram(const Paths& paths, const std::string& name);

} // namespace zraid
