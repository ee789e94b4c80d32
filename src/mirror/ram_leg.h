#pragma once

#include "memory/budget.h"
#include "pools/definition.h"
#include "util/paths.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace zraid {

inline constexpr const char* kSparseFill = "sparse"; ///< only what the image holds
inline constexpr const char* kFullFill = "full";

/// Which zram device was made for which pool. It is the one thing that the kernel cannot tell until
/// the device is in the array, so it is written down before the device is made, and once more with
/// the kernel's number for this very device (disk_sequence) behind it. A record counts only as far
/// as the kernel agrees, so that no zram of anybody else is ever touched.
struct RamLegRecord
{
    std::string device;        ///< "zram1"
    std::string sequence;      ///< empty: killed before the device was known
    std::uint64_t worst = 0;   ///< bytes promised to it
    std::string fill{};        ///< kSparseFill or kFullFill, once it is in the array
    std::uint64_t to_copy = 0; ///< bytes that a sparse fill copies

    static std::optional<RamLegRecord> load(const Paths& paths, const std::string& pool);
    static void remove(const Paths& paths, const std::string& pool);
    void save(const Paths& paths, const std::string& pool) const;

    /// Notes how the RAM leg is filled, for those who look at it.
    /// @param to_copy bytes that a sparse fill copies
    static void note_fill(const Paths& paths, const std::string& pool, const std::string& fill,
                          std::uint64_t to_copy = 0);

    /// The pool's zram device if it is there.
    static std::optional<std::string> device_of(const Paths& paths, const std::string& pool);
};

/// Makes the zram device of a pool's RAM leg, of the image's size, if memory allows.
/// @return name of the device
/// @throws Error; nothing is left then
std::string make_ram_leg(const Paths& paths, const PoolDefinition& pool);

/// Gives the memory of a pool's zram device back. It must not be in an array any more.
void discard_ram_leg(const Paths& paths, const std::string& pool, const std::string& device);

/// The compressors that zram has here. Makes a device for a moment where there is none to ask; the
/// record makes sure that it goes even if we are killed.
std::vector<std::string> offered_compressors(const Paths& paths, const std::string& pool);

/// Memory of all RAM legs that exist now, by pool.
std::vector<std::pair<std::string, RamUse>> ram_in_use(const Paths& paths);

/// Bytes that one more RAM leg may take at worst, with the settings of zraid.conf.
std::uint64_t ram_room(const Paths& paths, const MemoryInfo& memory);

} // namespace zraid
