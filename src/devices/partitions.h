#pragma once

#include "util/paths.h"

#include <optional>
#include <set>
#include <string>

namespace zraid {

/// What a device begins with.
enum class PartitionTable
{
    none, ///< zeros
    gpt,
    other,
};

/// Looks for a partition table on a device with 4096-byte sectors.
PartitionTable read_partition_table(const std::string& device);

/// Writes an empty GPT with parted(8).
/// @param lock_fd kept open in parted, see FileLock; -1: none
void make_gpt(const std::string& device, int lock_fd);

/// Numbers of the partitions that the kernel knows of a device, such as "md100".
std::set<int> kernel_partitions(const Paths& paths, const std::string& device);

/// Deletes a partition: first from the kernel, which refuses while anybody has it open; then from
/// the table. A partition that only one of the two still knows is deleted there.
/// @return false if neither knew it
/// @throws Error if it is in use
bool delete_partition(const Paths& paths, const std::string& device, int number, int lock_fd);

/// Writes a GPT with one partition over what is there already, and has the kernel know. Nothing is
/// wiped: what is inside the partition stays (sfdisk(8)).
/// @param start bytes into the device, whole sectors of 4096, as is `size`
void make_gpt_around(const std::string& device, std::uint64_t start, std::uint64_t size,
                     int lock_fd);

/// After the device has grown: the GPT's second header moves to its end, so that the new space can
/// be used. Nothing else is changed, and partitions may be in use (sfdisk(8)).
void use_whole_device(const std::string& device, int lock_fd);

/// In the table a partition gets the free space behind it, up to the next one. Its number, start,
/// name and UUID stay.
/// @throws Error if there is no such partition
void extend_partition(const std::string& device, int number, int lock_fd);

/// Has the kernel take a partition's size from the table, while it may be in use (partx(8)):
/// reading the whole table anew, as partitioning tools do, fails then.
void tell_partition_size(const std::string& device, int number, int lock_fd);

/// Waits until udev has handled what happened so far, as far as it runs.
void settle_udev();

} // namespace zraid
