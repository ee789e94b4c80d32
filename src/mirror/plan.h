#pragma once

#include "mirror/state.h"

#include <string>
#include <vector>

namespace zraid {

/// What a pool should be brought to.
enum class Goal
{
    bare,      ///< the array is there, at least on its disk leg; no matter what stands on it
    assembled, ///< … and its volumes can be used
    attached,  ///< … and has its RAM leg, filled or filling
    detached,  ///< no RAM leg; an array that is there stays on its disk leg
    stopped,   ///< nothing uses the array; no array, no loop, no zram
    grown,     ///< an array that is there is as large as its image; then it has no RAM leg
    repaired,  ///< no leg of an array that is there is lost, as far as it can be had back
};

/// One change of the system. Each is harmless when it is done already.
enum class Step
{
    stop_stray_array, ///< our disk leg came up by itself under another number
    attach_loop,
    stop_array,
    assemble_array,
    bring_up_layout,  ///< volume group active, file system mounted
    take_down_layout, ///< the opposite
    refuse_use,       ///< fail if anything has the array open
    drop_ram_leg,     ///< flush the array, fail the RAM leg and take it out
    discard_zram,     ///< give the memory of the pool's zram back
    make_zram,
    add_ram_leg,
    detach_loop,
    grow_loop,       ///< the loop device is as large as the image
    grow_array,      ///< the array is as large as the loop device
    remove_disk_leg, ///< take the failed disk leg out and let go of its image
    re_add_disk_leg, ///< give it back: md copies the chunks that it missed
};

std::string to_string(Step step);

/// The steps from what is seen to the goal, or why there are none.
struct Plan
{
    std::vector<Step> steps;
    std::string refusal; ///< empty: go on
    std::string next;    ///< with a refusal: what the administrator can do
};

/// Decides, without doing anything. Never plans a step that takes away the last good copy: a RAM
/// leg goes only while the disk leg is in sync.
Plan plan(const PoolView& view, Goal goal);

} // namespace zraid
