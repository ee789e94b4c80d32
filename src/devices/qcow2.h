#pragma once

#include <cstdint>
#include <string>

namespace zraid {

/// What another qcow2 file needs to be like this one (qemu-img(1), create -o).
struct Qcow2Layout
{
    std::uint64_t cluster_size = 65536; ///< bytes
    std::string compat = "1.1";         ///< or "0.10", which has none of what follows
    std::uint64_t refcount_bits = 16;
    bool lazy_refcounts = false;
    bool extended_l2 = false;
    std::string compression = "zlib"; ///< or "zstd"

    bool operator==(const Qcow2Layout&) const = default;
};

/// Is it one that QEMU could have made?
bool is_valid(const Qcow2Layout& layout);

/// A qcow2 file as qemu-img sees it.
struct Qcow2Info
{
    std::uint64_t virtual_size = 0; ///< bytes of the guest's disk
    Qcow2Layout layout;
    std::string obstacle; ///< what a copy of the disk alone would lose: "has a backing file"
    std::string next;     ///< what to do about that
};

/// @param json of qemu-img info
/// @param path for messages
/// @throws Error if it is not understood
Qcow2Info parse_qcow2_info(const std::string& json, const std::string& path);

/// Asks qemu-img. Nobody may have the file open for writing.
Qcow2Info read_qcow2_info(const std::string& path);

/// Makes an empty qcow2 in a file that is there; owner, mode and labels stay.
/// @param size of the guest's disk, bytes
void make_qcow2(const std::string& path, const Qcow2Layout& layout, std::uint64_t size);

} // namespace zraid
