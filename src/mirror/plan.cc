#include "mirror/plan.h"

#include <fmt/core.h>

namespace zraid {

namespace {

Plan refuse(std::string why, std::string next)
{
    return Plan{{}, std::move(why), std::move(next)};
}

/// The disk leg is behind, and what is newer is in memory only: nothing may be done that loses it.
Plan guard_ram_copy(const PoolView& view)
{
    if (view.array && view.ram && !view.ram->faulty && !(view.disk && view.disk->in_sync) &&
        view.state() == PoolState::inactive)
        return refuse("its array is stopped half way, and the RAM leg may hold the only good copy",
                      "keep the host running; look at /proc/mdstat, mdadm --run starts the array");
    if (view.stray_zram && view.stray_is_newer)
        return refuse(fmt::format("/dev/{} is in no array and newer than the image: it holds the "
                                  "only good copy",
                                  *view.stray_zram),
                      fmt::format("keep the host running; mdadm --assemble --run the pool's array "
                                  "from /dev/{}, then zraid-pool repair",
                                  *view.stray_zram));
    return {};
}

Plan refuse_lost_image(const PoolView& view)
{
    const std::string loop = view.disk_loop ? view.disk_loop->name : "?";
    return refuse(fmt::format("its image was {} while it was in use: what the array holds is in no "
                              "file that has a name",
                              view.image_fault == ImageFault::gone ? "removed" : "replaced"),
                  fmt::format("copy /dev/{0} to a new file beside the image; then mdadm --stop the "
                              "array, losetup -d /dev/{0}, and give that file the image's name",
                              loop));
}

Plan refuse_missing_image(const PoolView& view)
{
    const bool block = view.image_kind == ImageKind::block;
    if (!view.image_trouble.empty() && !view.other_kind)
        return refuse(fmt::format("its image cannot be used: {}", view.image_trouble),
                      block
                          ? "see the kernel's log, connect the device again"
                          : "mend what it lies on: umount it, let fsck look at it, mount it; then "
                            "try again");
    if (view.other_kind)
        return refuse(block ? "its image is no block device, as the definition has it"
                            : "its image is no regular file, as the definition has it",
                      "put back what was there under that name; zraid-pool dumpxml shows the "
                      "definition");
    if (block)
        return refuse("its image, a block device, is not there",
                      "connect or activate the device again; lsblk shows what there is");
    return refuse("its image is not there", "bring back the file, or mount what it lies on");
}

/// Of a file that is gone the loop device still has everything; of a device nothing.
Plan refuse_lost_device(const PoolView& view)
{
    const bool mirrored = view.ram && view.ram->in_sync && !view.ram->faulty;
    return refuse(
        mirrored ? "the device that its image was is gone, and the RAM leg holds the only "
                   "copy that can be reached"
                 : "the device that its image was is gone",
        mirrored ? "keep the host running; connect the device again, then zraid-pool repair"
                 : "stop what uses the pool, then zraid-pool stop; connect the device "
                   "again, then zraid-pool start");
}

Plan refuse_short_image(const PoolView& view)
{
    if (view.image_kind == ImageKind::block)
        return refuse(
            "the device that its image is became smaller while it was in use: the RAM leg "
            "holds the only good copy of the rest",
            "make the device as large as it was, mdadm --fail the disk leg, then "
            "zraid-pool repair copies the rest back");
    return refuse(
        "its image was truncated while it was in use: the RAM leg holds the only good copy "
        "of the rest",
        "truncate -s the image to its old size, mdadm --fail the disk leg, then "
        "zraid-pool repair copies the rest back");
}

/// A device that is there, but not connected.
bool has_no_size(const PoolView& view)
{
    return view.image_kind == ImageKind::block && view.image_size == 0;
}

/// The loop device holds its file system, which is to be mended.
Plan refuse_unusable_image(const PoolView& view)
{
    const bool kept = view.ram && view.ram->in_sync && !view.ram->faulty;
    return refuse(
        fmt::format("its image takes no data: {}{}", view.image_trouble,
                    kept ? "; the RAM leg holds the only good copy" : ""),
        kept ? "zraid-pool repair, which lets go of it; then mend what it lies on (umount, "
               "fsck, mount), and zraid-pool repair once more; keep the host running"
             : "stop what uses the pool, then zraid-pool stop; mend what the image lies "
               "on (umount, fsck, mount), then zraid-pool start");
}

/// Of two copies, each may have what the other lacks.
Plan refuse_kept_ram_leg(const PoolView& view)
{
    return refuse(
        fmt::format("its RAM leg, /dev/{}, failed or left the array while the image was "
                    "in doubt ({}): it may hold the only good copy",
                    view.kept_ram_leg().value(), view.doubt_why),
        fmt::format("keep the host running; compare /dev/{0} with the image, byte for "
                    "byte, and save what is missing; zraid-pool repair --from image gives "
                    "/dev/{0} up",
                    view.kept_ram_leg().value()));
}

Plan refuse_in_doubt(const PoolView& view)
{
    if (view.doubt_needs_word)
        return refuse(
            fmt::format("the legs differ, and which one is right is not known: {}", view.doubt_why),
            "look at both (zraid-pool info names them), then zraid-pool repair --from ram, or "
            "--from image");
    return refuse("the disk leg may lack data: it failed, or its device refused some, and it was "
                  "not compared with the RAM leg since",
                  "zraid-pool repair does it; zraid-monitor does it by itself");
}

bool is_lost(ImageFault fault)
{
    return fault == ImageFault::gone || fault == ImageFault::replaced;
}

/// A loop over the image that is not like ours was made by somebody else, who may be writing.
const Loop* misfit(const PoolView& view)
{
    for (const Loop& loop : view.loops) {
        if (!loop.fits_a_leg() || view.loops.size() > 1)
            return &loop;
    }
    return nullptr;
}

/// Also where there is no volume to be seen: there may be some that are not active.
bool lacks_layout(LayoutState state)
{
    return state != LayoutState::none && state != LayoutState::up;
}

bool has_layout(LayoutState state)
{
    return state == LayoutState::up || state == LayoutState::partly;
}

Plan plan_array(const PoolView& view)
{
    Plan result;
    if (view.state() != PoolState::inactive)
        return result;
    if (view.number_taken)
        return refuse("its md number is taken by another array",
                      "stop that array, or define the pool with another --md");
    if (!view.image || has_no_size(view) || !view.image_trouble.empty())
        return refuse_missing_image(view);
    if (const Loop* other = misfit(view))
        return refuse(fmt::format("its image is attached to /dev/{} by somebody else", other->name),
                      fmt::format("see what uses it, then losetup -d /dev/{}", other->name));
    if (view.stray_array)
        result.steps.push_back(Step::stop_stray_array);
    if (view.array)
        result.steps.push_back(Step::stop_array); // inactive: parts of it, not started
    if (view.loops.empty())
        result.steps.push_back(Step::attach_loop);
    result.steps.push_back(Step::assemble_array);
    return result;
}

Plan plan_assembly(const PoolView& view)
{
    Plan result = plan_array(view);
    if (result.refusal.empty() && lacks_layout(view.layout) && view.state() != PoolState::failed)
        result.steps.push_back(Step::bring_up_layout);
    return result;
}

Plan plan_attach(const PoolView& view)
{
    Plan result = plan_assembly(view);
    if (!result.refusal.empty())
        return result;
    const PoolState state = view.state();
    if (state == PoolState::failed)
        return refuse("no leg is in sync", "see /proc/mdstat and the kernel's log");
    if (state == PoolState::mirrored || state == PoolState::filling || state == PoolState::ram_only)
        return result;
    if (view.kept_ram_leg())
        return refuse_kept_ram_leg(view);
    if (view.lost_its_device())
        return refuse_lost_device(view);
    if (view.image_fault == ImageFault::unusable)
        return refuse_unusable_image(view);
    // The fill reads the file of the image's name.
    if (is_lost(view.image_fault))
        return refuse_lost_image(view);
    if (view.image_fault == ImageFault::too_short)
        return refuse("its image was truncated while it was in use",
                      "put back what is missing from a backup; zraid-pool dumpxml has its size");
    if (view.ram)
        result.steps.push_back(Step::drop_ram_leg); // faulty
    if (view.ram || view.stray_zram)
        result.steps.push_back(Step::discard_zram);
    result.steps.push_back(Step::make_zram);
    result.steps.push_back(Step::add_ram_leg);
    return result;
}

Plan plan_detach(const PoolView& view)
{
    Plan result;
    if (view.kept_ram_leg())
        return refuse_kept_ram_leg(view);
    if (view.array && view.ram) {
        if ((!view.disk || !view.disk->in_sync) && !view.image_trouble.empty())
            return refuse_unusable_image(view);
        if (!view.disk || !view.disk->in_sync)
            return refuse("the disk leg is not in sync: the RAM leg holds the only good copy",
                          "bring the image's device back, then zraid-pool repair; keep the host "
                          "running until then");
        if (view.lost_its_device() && !view.ram->faulty)
            return refuse_lost_device(view);
        if (view.image_fault == ImageFault::too_short && !view.ram->faulty)
            return refuse_short_image(view);
        if (view.image_fault == ImageFault::unusable && !view.ram->faulty)
            return refuse_unusable_image(view);
        if (view.in_doubt)
            return refuse_in_doubt(view);
        result.steps.push_back(Step::drop_ram_leg);
    }
    if (view.ram || view.stray_zram)
        result.steps.push_back(Step::discard_zram);
    return result;
}

Plan plan_stop(const PoolView& view)
{
    // What a device took with it is not on its loop device: there is nothing to keep.
    if (is_lost(view.image_fault) && !view.lost_its_device())
        return refuse_lost_image(view);
    Plan result = plan_detach(view);
    if (!result.refusal.empty())
        return result;
    // First of all: what it writes then is on both legs.
    if (has_layout(view.layout))
        result.steps.insert(result.steps.begin(), Step::take_down_layout);
    // Who has it open keeps his RAM leg.
    if (view.array && view.ram) {
        const auto place =
            has_layout(view.layout) ? result.steps.begin() + 1 : result.steps.begin();
        result.steps.insert(place, Step::refuse_use);
    }
    if (view.stray_array)
        result.steps.push_back(Step::stop_stray_array);
    if (view.array)
        result.steps.push_back(Step::stop_array);
    for (const Loop& loop : view.loops) {
        // A loop of another kind is not ours to take away.
        if (loop.fits_a_leg()) {
            result.steps.push_back(Step::detach_loop);
            break;
        }
    }
    return result;
}

Plan plan_growth(const PoolView& view)
{
    if (view.state() == PoolState::inactive)
        return refuse("its array is not there", "zraid-pool start brings it up");
    if (view.lost_its_device())
        return refuse_lost_device(view);
    if (is_lost(view.image_fault))
        return refuse_lost_image(view);
    if (view.image_fault == ImageFault::too_short)
        return refuse_short_image(view);
    if (view.image_fault == ImageFault::unusable)
        return refuse_unusable_image(view);
    if (!view.disk || !view.disk->in_sync)
        return refuse("the disk leg is not in sync", "zraid-pool repair, then try again");
    if (!view.is_outgrown())
        return {};
    // A zram device keeps its size: a larger one takes the place of the one that is there.
    Plan result = plan_detach(view);
    if (result.refusal.empty())
        result.steps.insert(result.steps.end(), {Step::grow_loop, Step::grow_array});
    return result;
}

/// The old loop device holds a device that is lost, and keeps some (NBD) from being connected
/// again: it goes first. A device that is not back yet is left alone, for the same reason.
Plan plan_new_device(const PoolView& view)
{
    Plan result;
    if (view.disk)
        result.steps.push_back(Step::remove_disk_leg);
    if (view.image && !has_no_size(view))
        result.steps.insert(result.steps.end(), {Step::attach_loop, Step::re_add_disk_leg});
    else if (result.steps.empty())
        return refuse_missing_image(view);
    return result;
}

Plan plan_repair(const PoolView& view)
{
    Plan result;
    switch (view.state()) {
    case PoolState::mirrored:
        if (view.image_fault == ImageFault::unusable) {
            // Nothing more goes wrong on it unseen, and what it lies on can be mended.
            result.steps.push_back(Step::remove_disk_leg);
            return result;
        }
        return view.lost_its_device() ? plan_new_device(view) : result;
    case PoolState::inactive:
    case PoolState::filling:
        return result;
    case PoolState::disk_only:
        if (view.kept_ram_leg())
            return refuse_kept_ram_leg(view);
        if (view.ram)
            result.steps.push_back(Step::drop_ram_leg); // faulty
        if (view.ram || view.stray_zram)
            result.steps.push_back(Step::discard_zram);
        return result;
    case PoolState::failed:
        return refuse("no leg is in sync", "see /proc/mdstat and the kernel's log");
    case PoolState::ram_only:
        break;
    }
    if (view.disk && !view.disk->faulty)
        return result; // md is copying to it already
    if (view.image_kind == ImageKind::block && (view.disk || !view.image || has_no_size(view)))
        return plan_new_device(view);
    if (!view.image_trouble.empty() && !view.other_kind) {
        if (!view.disk)
            return refuse_missing_image(view);
        result.steps.push_back(Step::remove_disk_leg); // its file system can be mended
        return result;
    }
    if (!view.image)
        return refuse_missing_image(view);
    // The loop device is made anew: after an error the file system below may have been unmounted
    // and mounted again, and the old one would keep hold of what is no longer there.
    if (view.disk)
        result.steps.push_back(Step::remove_disk_leg);
    if (view.disk || view.loops.empty())
        result.steps.push_back(Step::attach_loop);
    result.steps.push_back(Step::re_add_disk_leg);
    return result;
}

} // namespace

std::string to_string(Step step)
{
    switch (step) {
    case Step::stop_stray_array:
        return "stop the array that came up by itself";
    case Step::attach_loop:
        return "attach the image to a loop device";
    case Step::stop_array:
        return "stop the array";
    case Step::assemble_array:
        return "assemble the array";
    case Step::bring_up_layout:
        return "bring up what stands on the array";
    case Step::take_down_layout:
        return "take down what stands on the array";
    case Step::refuse_use:
        return "see that nothing uses the array";
    case Step::drop_ram_leg:
        return "drop the RAM leg";
    case Step::discard_zram:
        return "give the RAM leg's memory back";
    case Step::make_zram:
        return "make the RAM leg";
    case Step::add_ram_leg:
        return "add the RAM leg";
    case Step::detach_loop:
        return "detach the image's loop device";
    case Step::grow_loop:
        return "give the loop device the image's size";
    case Step::grow_array:
        return "give the array the image's size";
    case Step::remove_disk_leg:
        return "take the failed disk leg out";
    case Step::re_add_disk_leg:
        return "give the disk leg back, to copy what it missed";
    }
    return "unknown step";
}

Plan plan(const PoolView& view, Goal goal)
{
    if (Plan guard = guard_ram_copy(view); !guard.refusal.empty())
        return guard;
    switch (goal) {
    case Goal::bare:
        return plan_array(view);
    case Goal::assembled:
        return plan_assembly(view);
    case Goal::attached:
        return plan_attach(view);
    case Goal::detached:
        return plan_detach(view);
    case Goal::stopped:
        return plan_stop(view);
    case Goal::grown:
        return plan_growth(view);
    case Goal::repaired:
        return plan_repair(view);
    }
    return refuse("unknown goal", "");
}

} // namespace zraid
