#include "mirror/state.h"

#include "devices/block_device.h"
#include "devices/superblock.h"
#include "devices/write_errors.h"
#include "mirror/ram_leg.h"
#include "mirror/verify.h"
#include "util/busy.h"
#include "util/error.h"

#include <cerrno>

#include <fmt/core.h>

namespace zraid {

namespace {

/// A zram device that is being reset cannot be opened; with much in it that takes seconds.
constexpr Milliseconds kReset{20'000};

/// Nothing as well for a device that has no node: it is just made, or just removed. One that cannot
/// be opened yet is asked again, since who knows what it holds.
std::optional<MdSuperblock> superblock_of(const Paths& paths, const std::string& device)
{
    const std::string node = paths.device(device);
    std::optional<MdSuperblock> superblock;
    try {
        retry_while_busy(kReset, [&] { superblock = read_superblock(node); });
    } catch (const SystemError& e) {
        if (e.code() != ENOENT && e.code() != ENXIO && e.code() != ENODEV)
            throw;
    }
    return superblock;
}

/// Is the array with the pool's number the pool's? By UUID where the kernel shows it; else by what
/// it is made of.
bool is_ours(const Paths& paths, const MdArray& array, const PoolDefinition& pool,
             const std::vector<Loop>& loops)
{
    if (array.uuid)
        return *array.uuid == pool.uuid;
    for (const Loop& loop : loops) {
        if (array.member(loop.name))
            return true;
    }
    // Without its disk leg, only the RAM leg is left to ask.
    for (const MdMember& member : array.members) {
        if (!member.device.starts_with("zram"))
            continue;
        const auto superblock = superblock_of(paths, member.device);
        if (superblock && superblock->array_uuid == pool.uuid)
            return true;
    }
    return false;
}

/// md counts up the events of the legs that are in the array; one that was left behind stays
/// behind.
bool has_seen_more(const Paths& paths, const PoolDefinition& pool, const std::string& zram)
{
    const auto ram = superblock_of(paths, zram);
    if (!ram || ram->array_uuid != pool.uuid)
        return false;
    try {
        const auto disk = file_id(pool.image) ? read_superblock(pool.image) : std::nullopt;
        return !disk || disk->array_uuid != pool.uuid || ram->events > disk->events;
    } catch (const SystemError&) { // who knows what it has seen
        return true;
    }
}

Leg as_leg(const MdMember& member)
{
    return Leg{member.device, member.in_sync(), member.faulty(),
               member.data_offset.value_or(kDataOffset)};
}

/// A device that shows its md superblock came up by itself where our udev rule is not, as in an
/// initramfs: without a loop device.
std::optional<int> array_of_device(const Paths& paths, const PoolDefinition& pool)
{
    const auto device = device_name(paths, pool.image);
    const auto holder = device ? md_holding(paths, *device) : std::nullopt;
    if (!holder)
        return std::nullopt;
    try {
        const auto superblock = read_superblock(pool.image);
        return superblock && superblock->array_uuid == pool.uuid ? holder : std::nullopt;
    } catch (const SystemError&) {
        return std::nullopt;
    }
}

/// A disk leg that failed has let go of its image, or soon will.
ImageFault image_fault_of(const PoolView& view, const PoolDefinition& pool)
{
    if (!view.disk_loop || !view.disk || view.disk->faulty)
        return ImageFault::none;
    if (view.disk_loop->file == FileId{})
        return ImageFault::unusable;
    if (!view.image)
        return view.image_trouble.empty() ? ImageFault::gone : ImageFault::unusable;
    if (view.disk_loop->file != *view.image)
        return ImageFault::replaced;
    if (view.image_size < pool.size)
        return ImageFault::too_short;
    return view.image_trouble.empty() ? ImageFault::none : ImageFault::unusable;
}

/// A leg may be listed twice for a moment, faulty and new: the better one counts.
void take_leg(std::optional<Leg>& place, const MdMember& member)
{
    if (!place || place->faulty)
        place = as_leg(member);
}

} // namespace

std::string to_string(PoolState state)
{
    switch (state) {
    case PoolState::inactive:
        return "inactive";
    case PoolState::disk_only:
        return "disk-only";
    case PoolState::filling:
        return "filling";
    case PoolState::mirrored:
        return "mirrored";
    case PoolState::ram_only:
        return "ram-only";
    case PoolState::failed:
        return "failed";
    }
    return "unknown";
}

PoolState PoolView::state() const
{
    if (!array || array->array_state == "inactive")
        return PoolState::inactive;
    const bool disk_good = disk && disk->in_sync;
    const bool ram_there = ram && !ram->faulty;
    const bool ram_good = ram_there && ram->in_sync;
    if (disk_good && ram_good)
        return PoolState::mirrored;
    if (disk_good)
        return ram_there ? PoolState::filling : PoolState::disk_only;
    return ram_good ? PoolState::ram_only : PoolState::failed;
}

bool PoolView::lost_its_device() const
{
    return image_kind == ImageKind::block && array && disk && !disk->faulty &&
           image_fault != ImageFault::none && image_fault != ImageFault::unusable &&
           (image_fault != ImageFault::too_short || image_size == 0);
}

std::optional<std::string> PoolView::kept_ram_leg() const
{
    if (!in_doubt)
        return std::nullopt;
    if (ram && ram->faulty)
        return ram->device;
    return stray_zram;
}

bool PoolView::is_outgrown() const
{
    if (!array || !disk_loop)
        return false;
    const std::uint64_t whole = image_size / kSectorSize * kSectorSize;
    return disk_loop->size < whole || array->size + data_offset() < disk_loop->size;
}

std::string fault_of_image(const PoolView& view)
{
    if (view.image_fault == ImageFault::unusable)
        return view.image_trouble;
    if (view.image_fault == ImageFault::too_short && !view.lost_its_device())
        return "the image was truncated";
    return "";
}

PoolView view_pool(const Paths& paths, const PoolDefinition& pool)
{
    PoolView view;
    view.image_kind = pool.image_kind;
    view.image_trouble = image_trouble(paths, pool.image);
    try {
        view.image = file_id(pool.image);
    } catch (const SystemError& e) { // all else can be told nevertheless
        view.image_trouble = explain(e);
    }
    view.other_kind = view.image && image_kind(pool.image) != pool.image_kind;
    if (view.other_kind)
        view.image.reset();
    if (view.image)
        view.image_size = image_size(paths, pool.image);
    const std::vector<Loop> loops = list_loops(paths);
    for (const Loop& loop : loops) {
        if (view.image && loop.file == *view.image)
            view.loops.push_back(loop);
    }

    if (auto array = read_md(paths, pool.md_number)) {
        if (is_ours(paths, *array, pool, view.loops))
            view.array = std::move(array);
        else
            view.number_taken = true;
    }
    for (const Loop& loop : view.loops) {
        const auto holder = md_holding(paths, loop.name);
        if (holder && *holder != pool.md_number)
            view.stray_array = holder;
    }
    if (view.image && pool.image_kind == ImageKind::block && !view.stray_array)
        view.stray_array = array_of_device(paths, pool);
    if (view.array) {
        for (const MdMember& member : view.array->members)
            take_leg(member.device.starts_with("zram") ? view.ram : view.disk, member);
    }
    if (view.disk) {
        for (const Loop& loop : loops) {
            if (loop.name == view.disk->device)
                view.disk_loop = loop;
        }
    }
    if (view.disk_loop && view.disk_loop->file == FileId{} && view.image_trouble.empty())
        view.image_trouble =
            fmt::format("the kernel cannot look at the file behind {}", view.disk_loop->name);
    if (view.disk_loop && view.image && view.image_trouble.empty())
        view.image_trouble = refused_write_out(pool.image);
    view.image_fault = image_fault_of(view, pool);
    const auto zram = RamLegRecord::device_of(paths, pool.name);
    if (zram && !(view.ram && view.ram->device == *zram))
        view.stray_zram = zram;
    if (view.stray_zram)
        view.stray_is_newer = has_seen_more(paths, pool, *view.stray_zram);
    const DoubtMark doubt(paths, pool.name);
    view.in_doubt = doubt.id() != 0;
    if (view.in_doubt) {
        view.doubt_needs_word = doubt.kind() == DoubtKind::unknown;
        view.doubt_why = doubt.why();
    }
    view.layout = layout_of(paths, pool)->state();
    return view;
}

} // namespace zraid
