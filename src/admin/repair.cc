#include "admin/repair.h"

#include "admin/md_wait.h"
#include "devices/md.h"
#include "mirror/hold.h"
#include "mirror/mirror.h"
#include "mirror/verify.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/files.h"
#include "util/log.h"
#include "util/size.h"

#include <fmt/core.h>

namespace zraid {

namespace {

constexpr int kPasses = 3;
constexpr int kVerifyRounds = 4;
/// How long md may take to put away what it has done.
constexpr Milliseconds kPutAway{10'000};

Goal goal_of(const Admin& admin, const PoolDefinition& pool, const PoolView& view)
{
    return view.state() == PoolState::disk_only && wants_ram(admin.paths, pool) ? Goal::attached
                                                                                : Goal::repaired;
}

void refuse_unless_mirrored(const PoolView& view, const std::string& name)
{
    if (view.state() == PoolState::ram_only && view.disk && view.disk->faulty)
        throw Error("the disk leg failed", kMendDiskLeg);
    if (view.state() != PoolState::mirrored)
        throw Error(
            fmt::format("it is {}: there are no two legs to compare", to_string(view.state())),
            fmt::format("zraid-pool attach {0} && zraid-pool wait {0}", name));
}

/// One check of all the array. @return bytes that differ
std::uint64_t check_once(const Admin& admin, const PoolDefinition& pool,
                         const std::function<void(double)>& show)
{
    const auto file = admin.paths.block(pool.md_kernel_name()) / "md/sync_action";
    // One that somebody else started, or a scrub that was killed, is waited for as well. The kernel
    // answers EBUSY while it puts away what it did before.
    if (read_attribute(file) != "check" && !write_when_free(file, "check", kPutAway))
        throw SystemError(EBUSY, "begin the check", "try again");
    for (;;) {
        const PoolView view = view_pool(admin.paths, pool);
        refuse_unless_mirrored(view, pool.name);
        if (view.array->sync_action != "check")
            break;
        if (view.array->sync_total > 0)
            show(100.0 * static_cast<double>(view.array->sync_done) /
                 static_cast<double>(view.array->sync_total));
        await_sync_change(admin.paths, pool.md_number, kGlance);
    }
    const std::string sectors =
        read_file(admin.paths.block(pool.md_kernel_name()) / "md/mismatch_cnt");
    return std::stoull(sectors) * 512;
}

/// Waits until md has copied to the disk leg what it knows to be missing there.
/// @return the pool, mirrored
PoolView await_disk_leg(const Admin& admin, const PoolDefinition& pool,
                        const std::function<void(double)>& show)
{
    for (;;) {
        PoolView view = view_pool(admin.paths, pool);
        if (view.state() == PoolState::mirrored)
            return view;
        if (view.state() != PoolState::ram_only || !view.disk || view.disk->faulty)
            refuse_unless_mirrored(view, pool.name);
        show(0);
        await_sync_change(admin.paths, pool.md_number, kGlance);
    }
}

/// What verify_disk_leg() does while the disk leg does not fail.
std::uint64_t compare_and_copy(const Admin& admin, const PoolDefinition& pool,
                               const std::function<void(double)>& show)
{
    const DoubtMark mark(admin.paths, pool.name);
    std::uint64_t copied = 0;
    for (int round = 0; round < kVerifyRounds; ++round) {
        const std::uint64_t doubt = mark.id();
        if (doubt == 0)
            return copied;
        if (await_disk_leg(admin, pool, show).image_fault != ImageFault::none)
            throw Error("its image was changed by hand while it is in use",
                        "zraid-pool info tells what to do");
        const auto ranges = differing_chunks(admin.paths, pool, show);
        const FileLock lock = lock_pool(admin.paths, pool.name);
        if (mark.id() != doubt)
            continue; // it failed once more meanwhile
        Mirror mirror(admin.paths, pool, lock);
        refuse_unless_mirrored(mirror.view(), pool.name);
        if (ranges.empty()) {
            mark.clear(doubt);
            return copied;
        }
        copied += chunks_in(ranges) * bitmap_chunk_of(admin.paths, pool.md_number);
        log().warn("pool '{}': the disk leg lacked {} KiB that md took for written; they are "
                   "copied to it",
                   pool.name, copied / 1024);
        mirror.copy_again(ranges);
    }
    throw Error(fmt::format("the legs still differ after {} rounds", kVerifyRounds),
                "look for errors of the image's device in the kernel's log; the RAM leg stays");
}

/// The administrator knows which leg is right.
void take_word(const Admin& admin, Mirror& mirror, const std::string& name, RightLeg right)
{
    const DoubtMark mark(admin.paths, name);
    const PoolView view = mirror.view();
    if (right == RightLeg::ram) {
        if (view.kept_ram_leg())
            throw Error(fmt::format("/dev/{} is not in the array, and may be older than the image",
                                    *view.kept_ram_leg()),
                        "compare the two, and write to the array what it lacks");
        if (view.state() != PoolState::mirrored && view.state() != PoolState::ram_only)
            throw Error(fmt::format("it is {}: no RAM leg has all", to_string(view.state())));
        mark.set("an administrator said that the RAM leg is right", DoubtKind::ram_is_right);
        return;
    }
    if (view.state() != PoolState::mirrored && view.state() != PoolState::disk_only)
        throw Error(fmt::format("it is {}: the image does not have all", to_string(view.state())),
                    kMendDiskLeg);
    log().warn("pool '{}': an administrator said that the image is right", name);
    mirror.believe_image();
}

/// What the image lies on is to be mended, which needs it unmounted.
void let_go_of_failed_disk_leg(const Admin& admin, const PoolDefinition& pool)
{
    try {
        const FileLock lock = lock_pool(admin.paths, pool.name);
        Mirror(admin.paths, pool, lock).let_go_of_failed_disk_leg();
    } catch (const std::exception& e) { // what the disk leg failed of is the news
        log().warn("pool '{}': its disk leg stays: {}", pool.name, explain(e));
    }
}

} // namespace

std::vector<std::string> repair_pool(const Admin& admin, const std::string& name, bool dry_run,
                                     std::optional<RightLeg> right)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    const FileLock lock = lock_pool(admin.paths, name);
    Mirror mirror(admin.paths, pool, lock);
    if (right && !dry_run)
        take_word(admin, mirror, name, *right);
    const PoolView view = mirror.view();
    if (view.doubt_needs_word && !right && view.state() == PoolState::mirrored)
        throw Error(
            fmt::format("the legs differ, and which one is right is not known: {}", view.doubt_why),
            fmt::format("look at both, /dev/{} and /dev/{}, then zraid-pool repair --from "
                        "ram, or --from image",
                        view.disk->device, view.ram->device));
    const Goal goal = goal_of(admin, pool, view);
    const Plan steps = plan(view, goal);
    if (!steps.refusal.empty())
        throw Error(steps.refusal, steps.next);
    std::vector<std::string> lines;
    for (const Step step : steps.steps)
        lines.push_back(to_string(step));
    if (view.in_doubt || view.state() == PoolState::ram_only)
        lines.emplace_back("compare the disk leg with the RAM leg, once md has copied to it");
    if (dry_run)
        return lines;
    if (goal == Goal::attached)
        mirror.attach();
    else
        mirror.repair();
    // A lost device is let go of first, so that it can be connected again; so is an image that
    // takes no data.
    const PoolView after = mirror.view();
    if (const Plan left = plan(after, goal); !left.refusal.empty())
        throw Error(left.refusal, left.next);
    if (!view.image_trouble.empty() && after.state() == PoolState::ram_only && !after.disk)
        throw Error(
            fmt::format("its image takes no data ({}), and is let go of; the RAM leg holds "
                        "the only good copy",
                        view.image_trouble),
            "mend what the image lies on (umount, fsck, mount), then zraid-pool repair once "
            "more; keep the host running until then");
    return lines;
}

std::uint64_t verify_disk_leg(const Admin& admin, const std::string& name,
                              const std::function<void(double)>& show)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    try {
        return compare_and_copy(admin, pool, show);
    } catch (...) {
        let_go_of_failed_disk_leg(admin, pool);
        throw;
    }
}

ScrubResult scrub_pool(const Admin& admin, const std::string& name,
                       const std::function<void(double)>& show)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    refuse_unless_mirrored(view_pool(admin.paths, pool), name);
    await_end_of_recovery(admin.paths, pool.md_number, kPutAway);
    const PoolView view = view_pool(admin.paths, pool);
    refuse_unless_mirrored(view, name);
    if (view.array->sync_action != "idle" && view.array->sync_action != "check")
        throw Error(fmt::format("md is busy with '{}'", view.array->sync_action),
                    "try again when it is done");
    ScrubResult result;
    do {
        result.mismatches = check_once(admin, pool, show);
        ++result.passes;
    } while (result.mismatches > 0 && result.passes < kPasses);
    const DoubtMark mark(admin.paths, name);
    if (result.mismatches > 0 && mark.id() == 0)
        mark.set(
            fmt::format("a scrub found that the legs differ in {}", format_size(result.mismatches)),
            DoubtKind::unknown);
    return result;
}

} // namespace zraid
