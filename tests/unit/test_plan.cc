#include "mirror/plan.h"
#include "support/pool_definitions.h"
#include "util/size.h"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {

/// For gtest's messages.
void PrintTo(Step step, std::ostream* stream)
{
    *stream << to_string(step);
}

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::array kGoals{Goal::bare,    Goal::assembled, Goal::attached, Goal::detached,
                            Goal::stopped, Goal::grown,     Goal::repaired};

Loop make_loop(const std::string& name, bool ours)
{
    Loop loop;
    loop.name = name;
    loop.sector_size = ours ? kSectorSize : 512;
    return loop;
}

std::string leg_text(const std::optional<Leg>& leg)
{
    if (!leg)
        return "none";
    return leg->device + (leg->faulty ? " faulty" : leg->in_sync ? " in_sync" : " spare");
}

std::string text(const PoolView& view, Goal goal)
{
    std::string loops;
    for (const Loop& loop : view.loops)
        loops += " " + loop.name + (loop.fits_a_leg() ? "(ours)" : "(other)");
    return fmt::format(
        "goal {}: image {}, loops{}, array {}, number taken {}, stray array {}, disk "
        "{}, ram {}, stray zram {}{}",
        static_cast<int>(goal), view.image.has_value(), loops,
        view.array ? view.array->array_state : "none", view.number_taken,
        view.stray_array.value_or(-1), leg_text(view.disk), leg_text(view.ram),
        view.stray_zram.value_or("none"), view.stray_is_newer ? " (newer)" : "");
}

std::vector<std::optional<Leg>> all_legs(const std::string& device)
{
    return {std::nullopt, Leg{device, true, false}, Leg{device, false, false},
            Leg{device, false, true}};
}

/// The same with an image that has grown.
PoolView outgrown(PoolView view)
{
    view.disk_loop = view.loops.front();
    view.disk_loop->size = 64 * MiB;
    view.array->size = view.disk_loop->size - kDataOffset;
    view.image_size = 128 * MiB;
    return view;
}

/// Every view there can be.
std::vector<PoolView> all_views()
{
    const std::vector<std::vector<Loop>> loop_sets{
        {},
        {make_loop("loop0", true)},
        {make_loop("loop0", false)},
        {make_loop("loop0", true), make_loop("loop1", true)},
        {make_loop("loop0", true), make_loop("loop1", false)}};
    std::vector<PoolView> views;
    for (const bool image : {false, true})
        for (const auto& loops : loop_sets)
            for (const std::string state : {"", "clean", "inactive"})
                for (const bool taken : {false, true})
                    for (const bool stray_array : {false, true})
                        for (const auto& disk : all_legs("loop0"))
                            for (const auto& ram : all_legs("zram0"))
                                for (const int stray_zram : {0, 1, 2}) {
                                    const bool array = !state.empty();
                                    if ((!image && !loops.empty()) || (array && taken) ||
                                        (!array && (disk || ram)) || (stray_array && loops.empty()))
                                        continue;
                                    PoolView view;
                                    if (image)
                                        view.image = FileId{1, 2};
                                    view.loops = loops;
                                    if (array) {
                                        view.array = MdArray{};
                                        view.array->array_state = state;
                                    }
                                    view.number_taken = taken;
                                    if (stray_array)
                                        view.stray_array = 127;
                                    view.disk = disk;
                                    view.ram = ram;
                                    if (stray_zram > 0)
                                        view.stray_zram = "zram5";
                                    view.stray_is_newer = stray_zram == 2;
                                    views.push_back(view);
                                    if (ram || stray_zram > 0) {
                                        views.push_back(view);
                                        views.back().in_doubt = true;
                                    }
                                    if (array && image && disk && !loops.empty())
                                        views.push_back(outgrown(view));
                                }
    return views;
}

bool in_sync(const std::optional<Leg>& leg)
{
    return leg && leg->in_sync && !leg->faulty;
}

bool is_active(const PoolView& view)
{
    return view.array && view.array->array_state != "inactive";
}

bool loop_is_ours(const PoolView& view)
{
    return view.loops.size() == 1 && view.loops.front().fits_a_leg();
}

/// What a step does to the system, as far as a view shows it.
/// @return why the step is wrong here; empty: it is right
std::string take(PoolView& view, Step step)
{
    const bool last_copy_in_ram = in_sync(view.ram) && !in_sync(view.disk);
    switch (step) {
    case Step::stop_stray_array:
        if (!view.stray_array)
            return "there is no stray array";
        view.stray_array.reset();
        return "";
    case Step::attach_loop:
        if (!view.image)
            return "there is no image to attach";
        view.loops.push_back(make_loop("loop7", true));
        return "";
    case Step::stop_array:
        if (!view.array)
            return "there is no array to stop";
        if (last_copy_in_ram)
            return "stops an array whose RAM leg has the only good copy";
        if (view.ram)
            view.stray_zram = view.ram->device;
        view.array.reset();
        view.disk.reset();
        view.ram.reset();
        return "";
    case Step::assemble_array:
        if (view.array || view.number_taken)
            return "the number is in use";
        if (!loop_is_ours(view) || view.stray_array)
            return "assembles over a loop that is not ours alone";
        view.array = MdArray{};
        view.array->array_state = "clean";
        view.disk = Leg{view.loops.front().name, true, false};
        return "";
    case Step::bring_up_layout:
        if (!is_active(view))
            return "brings up what stands on no array";
        view.layout = LayoutState::up;
        return "";
    case Step::take_down_layout:
        if (!is_active(view))
            return "takes down what stands on no array";
        view.layout = LayoutState::down;
        return "";
    case Step::refuse_use:
        return is_active(view) ? "" : "looks for users of no array";
    case Step::drop_ram_leg:
        if (!is_active(view) || !view.ram)
            return "there is no RAM leg to drop";
        if (view.in_doubt)
            return "drops the RAM leg of an image in doubt";
        if (!in_sync(view.disk) && !view.ram->faulty)
            return "drops the RAM leg while the disk leg is not in sync";
        view.stray_zram = view.ram->device;
        view.ram.reset();
        return "";
    case Step::discard_zram:
        if (!view.stray_zram)
            return "there is no zram to discard";
        if (view.in_doubt)
            return "discards a zram that may hold the only good copy";
        if (view.stray_is_newer)
            return "discards a zram that is newer than the image";
        view.stray_zram.reset();
        return "";
    case Step::make_zram:
        if (view.stray_zram)
            return "makes a second zram";
        view.stray_zram = "zram9";
        return "";
    case Step::add_ram_leg:
        if (!is_active(view) || !in_sync(view.disk))
            return "adds the RAM leg without a disk leg in sync";
        if (!view.stray_zram || view.ram)
            return "has no fresh zram to add";
        view.ram = Leg{*view.stray_zram, false, false};
        view.stray_zram.reset();
        return "";
    case Step::detach_loop:
        if (view.array || view.stray_array)
            return "detaches a loop that an array stands on";
        std::erase_if(view.loops, [](const Loop& loop) { return loop.fits_a_leg(); });
        return "";
    case Step::grow_loop:
        if (!is_active(view) || !in_sync(view.disk))
            return "grows a loop that is no disk leg";
        view.disk_loop->size = view.image_size;
        return "";
    case Step::grow_array:
        if (view.ram)
            return "grows an array whose RAM leg stays small";
        view.array->size = view.disk_loop->size - kDataOffset;
        return "";
    case Step::remove_disk_leg:
        if (!view.disk || !view.disk->faulty || !in_sync(view.ram))
            return "removes a disk leg that is not lost";
        std::erase_if(view.loops, [&](const Loop& loop) { return loop.name == view.disk->device; });
        view.disk.reset();
        return "";
    case Step::re_add_disk_leg:
        if (!is_active(view) || view.disk || !in_sync(view.ram))
            return "re-adds the disk leg to an array that does not miss it";
        if (view.loops.empty())
            return "re-adds the disk leg without a loop";
        // Others over the same image are seen to when it is done.
        view.disk = Leg{view.loops.back().name, false, false};
        return "";
    }
    return "an unknown step";
}

bool reached(const PoolView& view, Goal goal)
{
    switch (goal) {
    case Goal::bare:
    case Goal::assembled:
        return is_active(view);
    case Goal::attached:
        return is_active(view) && view.ram && !view.ram->faulty;
    case Goal::detached:
        return !view.ram && !view.stray_zram;
    case Goal::stopped:
        return !view.array && !view.stray_array && !view.ram && !view.stray_zram &&
               std::none_of(view.loops.begin(), view.loops.end(),
                            [](const Loop& loop) { return loop.fits_a_leg(); });
    case Goal::grown:
        return is_active(view) && !view.is_outgrown();
    case Goal::repaired:
        return !is_active(view) ||
               !((view.disk && view.disk->faulty) || (view.ram && view.ram->faulty) || !view.disk);
    }
    return false;
}

/// An array that was stopped half way with a RAM leg in it, or two arrays of one pool at once, come
/// from nothing that zraid or udev do. Such a view must not be made worse, it need not be solved.
bool is_unusual(const PoolView& view)
{
    return (view.array && view.stray_array) || (view.array && !is_active(view) && view.ram);
}

/// One example of each thing that is wrong, for a message that can be read.
using Examples = std::map<std::string, std::string>;

PoolView after(const PoolView& before, const Plan& steps)
{
    PoolView view = before;
    for (const Step step : steps.steps)
        take(view, step);
    return view;
}

template <typename F>
Examples find_wrong(F&& check)
{
    Examples wrong;
    for (const PoolView& view : all_views()) {
        for (const Goal goal : kGoals) {
            const std::string why = check(view, goal);
            if (!why.empty())
                wrong.emplace(why, text(view, goal));
        }
    }
    return wrong;
}

TEST(PlanOfEveryView, EveryStepIsSafeWhereItIsTaken)
{
    std::size_t planned = 0;
    const Examples wrong = find_wrong([&](PoolView view, Goal goal) {
        if (is_unusual(view))
            return std::string();
        for (const Step step : plan(view, goal).steps) {
            ++planned;
            if (const std::string why = take(view, step); !why.empty())
                return to_string(step) + ": " + why;
        }
        return std::string();
    });
    EXPECT_THAT(wrong, IsEmpty());
    EXPECT_GT(planned, 500U);
}

TEST(PlanOfEveryView, ReachesTheGoalOrSaysWhyNot)
{
    const Examples wrong = find_wrong([](const PoolView& view, Goal goal) -> std::string {
        const Plan steps = plan(view, goal);
        if (!steps.refusal.empty() && (!steps.steps.empty() || steps.next.empty()))
            return "a refusal with steps or without advice: " + steps.refusal;
        if (steps.refusal.empty() && !steps.next.empty())
            return "advice without a refusal: " + steps.next;
        if (!steps.refusal.empty() || is_unusual(view))
            return "";
        const PoolView end = after(view, steps);
        // A RAM leg that holds the only copy counts as attached, and nothing better is there.
        if (goal == Goal::attached && end.state() == PoolState::ram_only)
            return "";
        return reached(end, goal) ? ""
                                  : "does not reach goal " + std::to_string(static_cast<int>(goal));
    });
    EXPECT_THAT(wrong, IsEmpty());
}

TEST(PlanOfEveryView, IsEmptyInTheGoal)
{
    const Examples wrong = find_wrong([](const PoolView& view, Goal goal) -> std::string {
        const Plan steps = plan(view, goal);
        if (!steps.refusal.empty() || is_unusual(view))
            return "";
        const Plan again = plan(after(view, steps), goal);
        if (!again.refusal.empty())
            return "refused behind its plan: " + again.refusal;
        return again.steps.empty() ? "" : "again: " + to_string(again.steps.front());
    });
    EXPECT_THAT(wrong, IsEmpty());
}

TEST(PlanOfEveryView, HasNoStepTwice)
{
    const Examples wrong = find_wrong([](const PoolView& view, Goal goal) -> std::string {
        std::vector<Step> steps = plan(view, goal).steps;
        std::sort(steps.begin(), steps.end());
        const auto twice = std::adjacent_find(steps.begin(), steps.end());
        return twice == steps.end() ? "" : to_string(*twice);
    });
    EXPECT_THAT(wrong, IsEmpty());
}

TEST(PlanOfEveryView, NeverGivesUpTheOnlyGoodCopy)
{
    const Examples wrong = find_wrong([](const PoolView& view, Goal goal) -> std::string {
        const bool in_array = in_sync(view.ram) && !in_sync(view.disk);
        const bool outside = view.stray_zram && view.stray_is_newer;
        if (!in_array && !outside)
            return "";
        for (const Step step : plan(view, goal).steps) {
            if (step != Step::remove_disk_leg && step != Step::attach_loop &&
                step != Step::re_add_disk_leg)
                return to_string(step);
        }
        return "";
    });
    EXPECT_THAT(wrong, IsEmpty());
}

TEST(PlanGrowth, TakesTheRamLegOutFirst)
{
    PoolView view;
    view.image = FileId{1, 2};
    view.loops = {make_loop("loop0", true)};
    view.array = MdArray{};
    view.array->array_state = "clean";
    view.disk = Leg{"loop0", true, false};
    view.ram = Leg{"zram0", true, false};
    EXPECT_THAT(plan(view, Goal::grown).steps, IsEmpty());
    EXPECT_THAT(
        plan(outgrown(view), Goal::grown).steps,
        ElementsAre(Step::drop_ram_leg, Step::discard_zram, Step::grow_loop, Step::grow_array));
    view.ram.reset();
    EXPECT_THAT(plan(outgrown(view), Goal::grown).steps,
                ElementsAre(Step::grow_loop, Step::grow_array));
    PoolView longer_loop = outgrown(view);
    longer_loop.disk_loop->size = longer_loop.image_size;
    EXPECT_TRUE(longer_loop.is_outgrown());
}

TEST(PlanGrowth, IsRefusedWithAReason)
{
    PoolView view;
    view.image = FileId{1, 2};
    view.loops = {make_loop("loop0", true)};
    EXPECT_EQ(plan(view, Goal::grown).refusal, "its array is not there");
    view.array = MdArray{};
    view.array->array_state = "clean";
    view.ram = Leg{"zram0", true, false};
    view.disk = Leg{"loop0", false, true};
    EXPECT_EQ(plan(outgrown(view), Goal::grown).refusal, "the disk leg is not in sync");
}

TEST(PlanOfEveryView, LeavesLoopsOfOthersAlone)
{
    const Examples wrong = find_wrong([](const PoolView& view, Goal goal) -> std::string {
        const PoolView end = after(view, plan(view, goal));
        for (const Loop& loop : view.loops) {
            const bool there = std::any_of(end.loops.begin(), end.loops.end(),
                                           [&](const Loop& l) { return l.name == loop.name; });
            const bool was_the_leg = view.disk && view.disk->device == loop.name;
            if (!there && !loop.fits_a_leg() && !was_the_leg)
                return "takes away a loop that is not ours";
        }
        return "";
    });
    EXPECT_THAT(wrong, IsEmpty());
}

// The usual cases, to be read.

PoolView inactive_view()
{
    PoolView view;
    view.image = FileId{1, 2};
    return view;
}

PoolView running_view(const std::optional<Leg>& disk, const std::optional<Leg>& ram)
{
    PoolView view = inactive_view();
    view.loops = {make_loop("loop0", true)};
    view.array = MdArray{};
    view.array->array_state = "clean";
    view.disk = disk;
    view.ram = ram;
    return view;
}

const Leg kDisk{"loop0", true, false};
const Leg kLostDisk{"loop0", false, true};
const Leg kRam{"zram1", true, false};
const Leg kFillingRam{"zram1", false, false};
const Leg kLostRam{"zram1", false, true};

TEST(PlanTest, BringsUpAPool)
{
    EXPECT_THAT(plan(inactive_view(), Goal::assembled).steps,
                ElementsAre(Step::attach_loop, Step::assemble_array));
    EXPECT_THAT(
        plan(inactive_view(), Goal::attached).steps,
        ElementsAre(Step::attach_loop, Step::assemble_array, Step::make_zram, Step::add_ram_leg));
    EXPECT_THAT(plan(running_view(kDisk, {}), Goal::attached).steps,
                ElementsAre(Step::make_zram, Step::add_ram_leg));
    EXPECT_THAT(
        plan(running_view(kDisk, kLostRam), Goal::attached).steps,
        ElementsAre(Step::drop_ram_leg, Step::discard_zram, Step::make_zram, Step::add_ram_leg));
}

TEST(PlanTest, TakesDownAPool)
{
    EXPECT_THAT(plan(running_view(kDisk, kRam), Goal::detached).steps,
                ElementsAre(Step::drop_ram_leg, Step::discard_zram));
    EXPECT_THAT(plan(running_view(kDisk, kFillingRam), Goal::detached).steps,
                ElementsAre(Step::drop_ram_leg, Step::discard_zram));
    EXPECT_THAT(plan(running_view(kDisk, kRam), Goal::stopped).steps,
                ElementsAre(Step::refuse_use, Step::drop_ram_leg, Step::discard_zram,
                            Step::stop_array, Step::detach_loop));
}

/// A pool that is up on its disk leg, or down, with a layout in some state.
PoolView with_layout(LayoutState layout, bool up)
{
    PoolView view;
    view.image = FileId{};
    view.layout = layout;
    if (up) {
        view.loops = {make_loop("loop0", true)};
        view.array = MdArray{};
        view.array->array_state = "clean";
        view.disk = Leg{"loop0", true, false};
    }
    return view;
}

TEST(PlanTest, BringsUpWhatStandsOnTheArray)
{
    for (const LayoutState state : {LayoutState::down, LayoutState::idle, LayoutState::partly}) {
        EXPECT_THAT(plan(with_layout(state, false), Goal::assembled).steps,
                    ElementsAre(Step::attach_loop, Step::assemble_array, Step::bring_up_layout));
        EXPECT_THAT(plan(with_layout(state, true), Goal::assembled).steps,
                    ElementsAre(Step::bring_up_layout));
        EXPECT_THAT(plan(with_layout(state, true), Goal::attached).steps,
                    ElementsAre(Step::bring_up_layout, Step::make_zram, Step::add_ram_leg));
        EXPECT_THAT(plan(with_layout(state, true), Goal::bare).steps, IsEmpty());
        EXPECT_THAT(plan(with_layout(state, true), Goal::detached).steps, IsEmpty());
    }
    for (const LayoutState state : {LayoutState::none, LayoutState::up})
        EXPECT_THAT(plan(with_layout(state, true), Goal::assembled).steps, IsEmpty());
}

TEST(PlanTest, TakesDownFirstWhatStandsOnTheArray)
{
    for (const LayoutState state : {LayoutState::up, LayoutState::partly}) {
        PoolView view = with_layout(state, true);
        view.ram = Leg{"zram0", true, false};
        EXPECT_THAT(plan(view, Goal::stopped).steps,
                    ElementsAre(Step::take_down_layout, Step::refuse_use, Step::drop_ram_leg,
                                Step::discard_zram, Step::stop_array, Step::detach_loop));
        view.disk->in_sync = false;
        EXPECT_THAT(plan(view, Goal::stopped).steps, IsEmpty());
    }
    for (const LayoutState state : {LayoutState::none, LayoutState::idle, LayoutState::down})
        EXPECT_THAT(plan(with_layout(state, true), Goal::stopped).steps,
                    ElementsAre(Step::stop_array, Step::detach_loop));
}

TEST(PlanTest, TakesOverAnArrayThatCameUpByItself)
{
    PoolView view = inactive_view();
    view.loops = {make_loop("loop0", true)};
    view.stray_array = 127;
    EXPECT_THAT(plan(view, Goal::assembled).steps,
                ElementsAre(Step::stop_stray_array, Step::assemble_array));
    EXPECT_THAT(plan(view, Goal::stopped).steps,
                ElementsAre(Step::stop_stray_array, Step::detach_loop));
    PoolView parts = running_view({}, {});
    parts.array->array_state = "inactive";
    EXPECT_THAT(plan(parts, Goal::assembled).steps,
                ElementsAre(Step::stop_array, Step::assemble_array));
}

TEST(PlanTest, ClearsAwayWhatACrashLeft)
{
    PoolView view = running_view(kDisk, {});
    view.stray_zram = "zram3";
    EXPECT_THAT(plan(view, Goal::detached).steps, ElementsAre(Step::discard_zram));
    EXPECT_THAT(plan(view, Goal::attached).steps,
                ElementsAre(Step::discard_zram, Step::make_zram, Step::add_ram_leg));
    PoolView down = inactive_view();
    down.stray_zram = "zram3";
    EXPECT_THAT(plan(down, Goal::stopped).steps, ElementsAre(Step::discard_zram));
}

TEST(PlanTest, RepairsAPool)
{
    EXPECT_THAT(plan(running_view(kLostDisk, kRam), Goal::repaired).steps,
                ElementsAre(Step::remove_disk_leg, Step::attach_loop, Step::re_add_disk_leg));
    PoolView without_loop = running_view({}, kRam);
    without_loop.loops.clear();
    EXPECT_THAT(plan(without_loop, Goal::repaired).steps,
                ElementsAre(Step::attach_loop, Step::re_add_disk_leg));
    EXPECT_THAT(plan(running_view({}, kRam), Goal::repaired).steps,
                ElementsAre(Step::re_add_disk_leg));
    EXPECT_THAT(plan(running_view(Leg{"loop0", false, false}, kRam), Goal::repaired).steps,
                IsEmpty())
        << "md copies to it already";
    EXPECT_THAT(plan(running_view(kDisk, kLostRam), Goal::repaired).steps,
                ElementsAre(Step::drop_ram_leg, Step::discard_zram));
}

TEST(PlanTest, Refuses)
{
    struct Case
    {
        PoolView view;
        Goal goal;
        const char* refusal;
        const char* next;
    };
    PoolView taken = inactive_view();
    taken.number_taken = true;
    PoolView other_loop = inactive_view();
    other_loop.loops = {make_loop("loop4", false)};
    PoolView two_loops = inactive_view();
    two_loops.loops = {make_loop("loop4", true), make_loop("loop5", true)};
    PoolView half_way = running_view(kLostDisk, kRam);
    half_way.array->array_state = "inactive";
    PoolView newer = inactive_view();
    newer.stray_zram = "zram3";
    newer.stray_is_newer = true;
    PoolView lost_image = running_view(kLostDisk, kRam);
    lost_image.image.reset();
    lost_image.loops.clear();
    for (const Case& c : std::vector<Case>{
             {taken, Goal::assembled, "its md number is taken by another array", "--md"},
             {PoolView{}, Goal::assembled, "its image is not there", "mount"},
             {other_loop, Goal::attached, "its image is attached to /dev/loop4 by somebody else",
              "losetup -d /dev/loop4"},
             {two_loops, Goal::assembled, "its image is attached to /dev/loop4 by somebody else",
              "losetup -d /dev/loop4"},
             {running_view(kLostDisk, kLostRam), Goal::attached, "no leg is in sync",
              "/proc/mdstat"},
             {running_view(kLostDisk, kLostRam), Goal::repaired, "no leg is in sync",
              "/proc/mdstat"},
             {running_view(kLostDisk, kRam), Goal::detached, "holds the only good copy",
              "zraid-pool repair"},
             {running_view({}, kRam), Goal::stopped, "holds the only good copy",
              "zraid-pool repair"},
             {half_way, Goal::attached, "may hold the only good copy", "keep the host running"},
             {newer, Goal::assembled,
              "/dev/zram3 is in no array and newer than the image: it holds the only good copy",
              "from /dev/zram3, then zraid-pool repair"},
             {newer, Goal::stopped, "holds the only good copy", "keep the host running"},
             // The failed leg is not taken out before there is something to put in its place.
             {lost_image, Goal::repaired, "its image is not there", "bring back the file"},
         }) {
        const Plan steps = plan(c.view, c.goal);
        EXPECT_THAT(steps.steps, IsEmpty()) << text(c.view, c.goal);
        EXPECT_THAT(steps.refusal, HasSubstr(c.refusal)) << text(c.view, c.goal);
        EXPECT_THAT(steps.next, HasSubstr(c.next)) << text(c.view, c.goal);
    }
}

PoolView mirrored()
{
    PoolView view;
    view.image = FileId{1, 2};
    view.array = MdArray{};
    view.array->array_state = "clean";
    view.disk = Leg{"loop0", true, false};
    view.ram = Leg{"zram0", true, false};
    view.disk_loop = make_loop("loop0", true);
    return view;
}

TEST(PlanTest, KeepsTheRamLegOfADiskLegInDoubt)
{
    PoolView view = mirrored();
    view.in_doubt = true;
    for (const Goal goal : {Goal::detached, Goal::stopped})
        EXPECT_THAT(plan(view, goal).refusal, HasSubstr("was not compared"));
    view.doubt_needs_word = true;
    for (const Goal goal : {Goal::detached, Goal::stopped})
        EXPECT_THAT(plan(view, goal).next, HasSubstr("--from ram, or --from image"));
}

TEST(PlanTest, KeepsARamLegThatFailsInDoubt)
{
    PoolView failed = mirrored();
    failed.ram = kLostRam;
    PoolView stray = mirrored();
    stray.ram.reset();
    stray.stray_zram = "zram0";
    for (PoolView view : {failed, stray}) {
        EXPECT_EQ(plan(view, Goal::detached).refusal, "");
        view.in_doubt = true;
        view.doubt_why = "No space left on device";
        for (const Goal goal : {Goal::detached, Goal::stopped, Goal::attached, Goal::repaired}) {
            const Plan steps = plan(view, goal);
            EXPECT_THAT(steps.refusal, HasSubstr("/dev/" + *view.kept_ram_leg()))
                << static_cast<int>(goal);
            EXPECT_THAT(steps.refusal, HasSubstr("No space left on device"));
            EXPECT_THAT(steps.next, HasSubstr("--from image"));
        }
        EXPECT_EQ(plan(view, Goal::assembled).refusal, "") << "the domain starts";
    }
}

TEST(PlanTest, LetsGoOfAnImageThatTakesNoData)
{
    PoolView view = mirrored();
    view.image_fault = ImageFault::unusable;
    view.image_trouble = "its file system is read-only";
    for (const Goal goal : {Goal::detached, Goal::stopped, Goal::grown}) {
        EXPECT_THAT(plan(view, goal).refusal, HasSubstr("file system is read-only"));
        EXPECT_THAT(plan(view, goal).refusal, HasSubstr("the only good copy"));
    }
    EXPECT_THAT(plan(view, Goal::repaired).steps, ElementsAre(Step::remove_disk_leg));
    view.disk->faulty = true;
    view.disk->in_sync = false;
    view.image_fault = ImageFault::none;
    EXPECT_THAT(plan(view, Goal::repaired).steps, ElementsAre(Step::remove_disk_leg));
    view.disk.reset();
    EXPECT_THAT(plan(view, Goal::repaired).refusal, HasSubstr("cannot be used"));
    PoolView alone = mirrored();
    alone.ram.reset();
    alone.image_fault = ImageFault::unusable;
    EXPECT_EQ(plan(alone, Goal::stopped).refusal, "") << "there is nothing to keep";
    EXPECT_THAT(plan(alone, Goal::attached).next, HasSubstr("zraid-pool stop"));
}

TEST(PlanTest, KeepsWhatAnImageThatWasChangedByHandLacks)
{
    PoolView view = mirrored();
    view.image_fault = ImageFault::too_short;
    for (const Goal goal : {Goal::detached, Goal::stopped})
        EXPECT_THAT(plan(view, goal).refusal, HasSubstr("truncated"));
    for (const ImageFault fault : {ImageFault::gone, ImageFault::replaced}) {
        view.image_fault = fault;
        EXPECT_EQ(plan(view, Goal::detached).refusal, "") << "the loop device has it all";
        EXPECT_THAT(plan(view, Goal::stopped).refusal, HasSubstr("in no file that has a name"));
    }
    view.ram.reset();
    for (const ImageFault fault : {ImageFault::gone, ImageFault::replaced, ImageFault::too_short}) {
        view.image_fault = fault;
        EXPECT_NE(plan(view, Goal::attached).refusal, "");
    }
    EXPECT_EQ(plan(view, Goal::stopped).refusal, "") << "truncated: there is nothing to keep";
}

/// The same on a block device.
PoolView on_device(PoolView view)
{
    view.image_kind = ImageKind::block;
    view.image_size = 64 * MiB;
    return view;
}

TEST(PlanTest, LetsGoOfALostDeviceBeforeItIsConnectedAgain)
{
    PoolView failed = on_device(running_view(kLostDisk, kRam));
    EXPECT_THAT(plan(failed, Goal::repaired).steps,
                ElementsAre(Step::remove_disk_leg, Step::attach_loop, Step::re_add_disk_leg));
    failed.image_size = 0;
    EXPECT_THAT(plan(failed, Goal::repaired).steps, ElementsAre(Step::remove_disk_leg));
    failed.image.reset();
    EXPECT_THAT(plan(failed, Goal::repaired).steps, ElementsAre(Step::remove_disk_leg));
    failed.disk.reset();
    EXPECT_THAT(plan(failed, Goal::repaired).refusal, HasSubstr("a block device, is not there"));
}

TEST(PlanTest, KeepsTheRamLegWhenTheDeviceIsLost)
{
    for (const ImageFault fault : {ImageFault::gone, ImageFault::replaced, ImageFault::too_short}) {
        PoolView view = on_device(mirrored());
        view.image_fault = fault;
        if (fault == ImageFault::gone)
            view.image.reset();
        if (fault != ImageFault::replaced)
            view.image_size = 0;
        for (const Goal goal : {Goal::detached, Goal::stopped, Goal::grown})
            EXPECT_THAT(plan(view, goal).refusal, HasSubstr("holds the only copy"));
        EXPECT_EQ(plan(view, Goal::repaired).steps.front(), Step::remove_disk_leg);
        EXPECT_EQ(plan(view, Goal::repaired).steps.size(), fault == ImageFault::replaced ? 3U : 1U);
        // Without a RAM leg there is nothing to keep: the device is let go of.
        view.ram.reset();
        EXPECT_THAT(plan(view, Goal::stopped).refusal, IsEmpty());
        EXPECT_THAT(plan(view, Goal::attached).refusal, HasSubstr("is gone"));
    }
    PoolView shrunk = on_device(mirrored());
    shrunk.image_fault = ImageFault::too_short;
    EXPECT_THAT(plan(shrunk, Goal::detached).refusal, HasSubstr("became smaller"));
    EXPECT_THAT(plan(shrunk, Goal::repaired).steps, IsEmpty()) << "it is still there";
}

TEST(PlanTest, DoesNotTakeAnImageOfTheOtherKind)
{
    PoolView view = on_device(inactive_view());
    EXPECT_EQ(plan(view, Goal::assembled).refusal, "");
    view.image_size = 0;
    EXPECT_THAT(plan(view, Goal::assembled).refusal, HasSubstr("a block device, is not there"));
    view.image.reset();
    view.other_kind = true;
    EXPECT_THAT(plan(view, Goal::assembled).refusal, HasSubstr("is no block device"));
    view.image_kind = ImageKind::file;
    EXPECT_THAT(plan(view, Goal::assembled).refusal, HasSubstr("is no regular file"));
}

TEST(PlanTest, NamesEveryStep)
{
    std::vector<std::string> names;
    for (int step = 0; step <= static_cast<int>(Step::re_add_disk_leg); ++step)
        names.push_back(to_string(static_cast<Step>(step)));
    EXPECT_EQ(std::count(names.begin(), names.end(), "unknown step"), 0);
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

} // namespace
} // namespace zraid
