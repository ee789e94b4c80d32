#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zraid {

/// What an overlay stands on, as its header says.
struct LayerBelow
{
    std::string path;   ///< absolute
    std::string format; ///< empty: not said; it is never guessed from what is in it

    bool operator==(const LayerBelow&) const = default;
};

/// Reads the header of a disk image whose format somebody has told: qcow2 (docs/interop/qcow2.txt
/// in QEMU), qcow, qed, vmdk. Bounded in bytes, and without a program: it is done while a domain's
/// start waits. Any other format has nothing below it, and is not even opened: what a guest wrote
/// into a raw volume is never taken for a header.
/// @param path of a file or block device
/// @return the backing file, a file with the data, the extents; empty: there is none, or it cannot
/// be read
std::vector<LayerBelow> layers_below(const std::string& path, const std::string& format);

/// The name of a backing file as it stands in a header: a path, "file:PATH", or "json:{…}".
/// @param overlay whose header it is: other paths are relative to its folder
/// @param format as the header says it; that of a json name goes first
/// @return nothing if it is on a server
std::optional<LayerBelow> layer_of_name(const std::string& overlay, std::string_view name,
                                        std::string format);

} // namespace zraid
