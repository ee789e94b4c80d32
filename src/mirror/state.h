#pragma once

#include "devices/file_id.h"
#include "devices/loop.h"
#include "devices/md.h"
#include "layout/layout.h"
#include "pools/definition.h"
#include "util/paths.h"

#include <optional>
#include <string>
#include <vector>

namespace zraid {

/// States of a pool, as `info` and `list` show them.
enum class PoolState
{
    inactive,  ///< no array
    disk_only, ///< no RAM leg
    filling,   ///< the kernel copies to the RAM leg
    mirrored,  ///< both legs in sync
    ram_only,  ///< the disk leg is gone: data at risk
    failed,    ///< no leg in sync
};

std::string to_string(PoolState state);

/// What somebody did to the image of an array that runs.
enum class ImageFault
{
    none,
    gone,      ///< removed, or moved away: the loop device holds the only name of it
    replaced,  ///< another file has its name
    too_short, ///< truncated: what lay behind its end reads as zeros, without an error
    unusable,  ///< what it lies on takes no data any more, see image_trouble()
};

/// One leg as a member of the array.
struct Leg
{
    std::string device; ///< "loop0", "zram1"
    bool in_sync = false;
    bool faulty = false;
    std::uint64_t data_offset = kDataOffset; ///< bytes in front of its data
};

/// Everything about a pool that the kernel tells; nothing here is remembered by us, except whose a
/// zram outside of any array is.
struct PoolView
{
    std::optional<FileId> image;            ///< nothing: it is not there, or not of the kind below
    ImageKind image_kind = ImageKind::file; ///< as the definition has it
    std::string image_trouble;              ///< why it cannot be looked at, or used; empty: it can
    bool other_kind = false;      ///< a file has the name of the device, or the other way round
    std::vector<Loop> loops;      ///< loop devices over the image
    std::optional<MdArray> array; ///< the array of the pool's number, if it is this pool's
    bool number_taken = false;    ///< the pool's md number is another array's
    std::optional<int>
        stray_array; ///< another array number that holds our loop (came up by itself)
    ImageFault image_fault = ImageFault::none;
    std::optional<Loop> disk_loop; ///< the disk leg's loop device, also if its image was replaced
    std::optional<Leg> disk;
    std::optional<Leg> ram;
    std::optional<std::string> stray_zram; ///< made for this pool, but in no array
    /// … and its superblock has seen more than the image's: the disk leg was lost before it was
    /// taken out of the array.
    bool stray_is_newer = false;
    std::uint64_t image_size = 0; ///< bytes; 0 if it is not there, or not connected
    /// The disk leg failed, or its device refused data, and it was not compared since; see
    /// DoubtMark.
    bool in_doubt = false;
    bool doubt_needs_word =
        false;             ///< no comparison ends it: an administrator says which leg is right
    std::string doubt_why; ///< in words
    LayoutState layout = LayoutState::none;

    PoolState state() const;
    /// Is the image a device that went away below an array that did not notice yet? It may be back
    /// under another node.
    bool lost_its_device() const;
    /// In doubt, a RAM leg that failed or left the array: it may hold the only good copy.
    std::optional<std::string> kept_ram_leg() const;
    /// Is the array, or the loop device below it, smaller than the image?
    bool is_outgrown() const;
    /// Bytes in front of the disk leg's data.
    std::uint64_t data_offset() const { return disk ? disk->data_offset : kDataOffset; }
};

/// Why the image may lack what the RAM leg has, as far as it shows by looking; empty: it does not.
/// Whoever finds one notes it (DoubtMark) before anything else is done about it.
std::string fault_of_image(const PoolView& view);

/// Reads it all. Changes nothing.
PoolView view_pool(const Paths& paths, const PoolDefinition& pool);

} // namespace zraid
