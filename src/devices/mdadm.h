#pragma once

#include "devices/md.h"
#include "util/paths.h"
#include "util/uuid.h"

#include <cstdint>
#include <string>
#include <vector>

namespace zraid {

/// Calls of mdadm(8). Every one of them keeps the given lock descriptor open in mdadm: see
/// FileLock.
class Mdadm
{
public:
    /// @param lock_fd descriptor of the pool's lock, or -1
    Mdadm(Paths paths, int lock_fd) : paths_(std::move(paths)), lock_fd_(lock_fd) {}

    /// Makes a RAID1 of the disk leg (slot 0, write-mostly) and a missing leg (slot 1): metadata
    /// 1.2, data 1 MiB into the leg, internal bitmap, no bad-block list, no write-behind.
    /// @param name array name of at most 31 characters, stored in the superblock: two parts with a
    /// colon between them
    /// @param chunk bytes that one bit of the bitmap stands for, a power of two
    void create(int number, const Uuid& uuid, const std::string& name, std::uint64_t chunk,
                const std::string& disk_leg) const;

    /// Starts the array on its disk leg alone, if the superblock there has this UUID.
    void assemble(int number, const Uuid& uuid, const std::string& disk_leg) const;

    /// Makes a new device a member; the kernel copies the whole array to it.
    void add(int number, const std::string& device) const;
    /// Makes the array as large as its members are.
    void grow(int number) const;
    /// Stops an array; fails while anything has it open.
    void stop(int number) const;

private:
    void call(std::vector<std::string> arguments) const;
    std::string node(const std::string& device) const { return paths_.device(device); }
    std::string node(int number) const { return node(md_kernel_name(number)); }

    Paths paths_;
    int lock_fd_;
};

} // namespace zraid
