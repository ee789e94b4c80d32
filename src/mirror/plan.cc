#include "mirror/plan.h"

#include <fmt/format.h>

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

Plan refuse_short_image()
{
    return refuse(
        "its image was truncated while it was in use: the RAM leg holds the only good copy "
        "of the rest",
        "truncate -s the image to its old size, mdadm --fail the disk leg, then "
        "zraid-pool repair copies the rest back");
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

Plan plan_assembly(const PoolView& view)
{
    Plan result;
    if (view.state() != PoolState::inactive)
        return result;
    if (view.number_taken)
        return refuse("its md number is taken by another array",
                      "stop that array, or define the pool with another --md");
    if (!view.image)
        return refuse("its image is not there", "bring back the file, or mount what it lies on");
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
    if (view.array && view.ram) {
        if (!view.disk || !view.disk->in_sync)
            return refuse("the disk leg is not in sync: the RAM leg holds the only good copy",
                          "bring the image's device back, then zraid-pool repair; keep the host "
                          "running until then");
        if (view.image_fault == ImageFault::too_short && !view.ram->faulty)
            return refuse_short_image();
        // A RAM leg that failed has nothing to lose.
        if (view.in_doubt && !view.ram->faulty)
            return refuse(
                "the disk leg may lack data: it failed, or its device refused some, and it was not "
                "compared with the RAM leg since",
                "zraid-pool repair does it; zraid-monitor does it by itself");
        result.steps.push_back(Step::drop_ram_leg);
    }
    if (view.ram || view.stray_zram)
        result.steps.push_back(Step::discard_zram);
    return result;
}

Plan plan_stop(const PoolView& view)
{
    if (is_lost(view.image_fault))
        return refuse_lost_image(view);
    Plan result = plan_detach(view);
    if (!result.refusal.empty())
        return result;
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

Plan plan_repair(const PoolView& view)
{
    Plan result;
    switch (view.state()) {
    case PoolState::inactive:
    case PoolState::mirrored:
    case PoolState::filling:
        return result;
    case PoolState::disk_only:
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
    if (!view.image)
        return refuse("its image is not there", "bring back the file, or mount what it lies on");
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
    case Goal::assembled:
        return plan_assembly(view);
    case Goal::attached:
        return plan_attach(view);
    case Goal::detached:
        return plan_detach(view);
    case Goal::stopped:
        return plan_stop(view);
    case Goal::repaired:
        return plan_repair(view);
    }
    return refuse("unknown goal", "");
}

} // namespace zraid
