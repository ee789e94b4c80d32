#pragma once

#include "util/paths.h"
#include "util/uuid.h"
#include "util/wait.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace zraid {

/// "md100": the array's name in /sys/block and /dev.
inline std::string md_kernel_name(int number)
{
    return "md" + std::to_string(number);
}

/// One member of an array (/sys/block/mdN/md/dev-…, Documentation/admin-guide/md.rst).
struct MdMember
{
    std::string device;          ///< "loop0", "zram1"
    std::set<std::string> flags; ///< words of its `state`: in_sync, faulty, spare, write_mostly, …
    std::optional<int> slot;     ///< its place in the array; nothing for "none"
    std::optional<std::uint64_t> data_offset; ///< bytes in front of its data

    bool in_sync() const { return flags.contains("in_sync") && !faulty(); }
    bool faulty() const { return flags.contains("faulty"); }
};

/// An md array as sysfs shows it.
struct MdArray
{
    int number = -1;
    std::string array_state;      ///< clean, active, read-auto, inactive, broken, …
    std::string sync_action;      ///< idle, recover, resync, check, repair, frozen, …
    std::optional<Uuid> uuid;     ///< nothing where the kernel does not show it
    std::uint64_t size = 0;       ///< bytes a guest sees
    std::uint64_t sync_done = 0;  ///< of the running sync_action, in sectors of 512 bytes
    std::uint64_t sync_total = 0; ///< the same; 0: no figure
    std::uint64_t sync_speed = 0; ///< KiB/s; 0: no figure
    std::vector<MdMember> members;

    std::string name() const { return md_kernel_name(number); }
    const MdMember* member(const std::string& device) const;
};

/// Largest number a pool may have: the kernel makes arrays of names like md511 up to here.
inline constexpr int kMaxMdNumber = 511;

/// @return nothing if there is no such array, or only the empty shell that a stopped one leaves
std::optional<MdArray> read_md(const Paths& paths, int number);

/// All arrays that exist.
std::vector<MdArray> read_all_md(const Paths& paths);

/// Numbers of all arrays that exist.
std::vector<int> list_md(const Paths& paths);

/// Number of the array that has this device as a member; nothing if it is in none.
std::optional<int> md_holding(const Paths& paths, const std::string& device);

/// Waits until md has put a recovery away: it says that a leg is in sync a moment before, and takes
/// no other order of the array's until then.
/// Returns all the same when the time is up.
void await_end_of_recovery(const Paths& paths, int number, Milliseconds limit);

/// How far md's copying is, in bytes from the array's begin, as /proc/mdstat tells it: `sync_done`
/// is brought up to date only at every sixteenth of the array.
/// @return nothing if md copies nothing, or has not begun
std::optional<std::uint64_t> sync_position(const Paths& paths, int number);

/// Text of one of md's attributes; nothing if the array is not there.
std::optional<std::string> read_md_attribute(const Paths& paths, int number,
                                             const std::string& attribute);

/// Writes one of md's attributes, such as "sync_speed_max".
void write_md(const Paths& paths, int number, const std::string& attribute,
              const std::string& value);

} // namespace zraid
