#include "admin/repair.h"

#include "admin/md_wait.h"
#include "devices/md.h"
#include "mirror/claims.h"
#include "mirror/mirror.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/files.h"

#include <fmt/format.h>

namespace zraid {

namespace {

constexpr int kPasses = 3;

/// Should the pool have a RAM leg now?
bool wants_ram(const Admin& admin, const PoolDefinition& pool)
{
    return pool.attach == AttachPolicy::always || !Claims(admin.paths, pool.name).list().empty();
}

Goal goal_of(const Admin& admin, const PoolDefinition& pool, const PoolView& view)
{
    return view.state() == PoolState::disk_only && wants_ram(admin, pool) ? Goal::attached
                                                                          : Goal::repaired;
}

std::string sync_action(const Admin& admin, const PoolDefinition& pool)
{
    const auto array = read_md(admin.paths, pool.md_number);
    return array ? array->sync_action : "";
}

void refuse_unless_mirrored(const PoolView& view, const std::string& name)
{
    if (view.state() != PoolState::mirrored)
        throw Error(
            fmt::format("it is {}: there are no two legs to compare", to_string(view.state())),
            fmt::format("zraid-pool attach {0} && zraid-pool wait {0}", name));
}

/// One check of all the array. @return bytes that differ
std::uint64_t check_once(const Admin& admin, const PoolDefinition& pool,
                         const std::function<void(double)>& show)
{
    // One that somebody else started, or a scrub that was killed, is waited for as well.
    if (sync_action(admin, pool) != "check")
        write_md(admin.paths, pool.md_number, "sync_action", "check");
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
        read_file(admin.paths.block(fmt::format("md{}", pool.md_number)) / "md/mismatch_cnt");
    return std::stoull(sectors) * 512;
}

} // namespace

std::vector<std::string> repair_pool(const Admin& admin, const std::string& name, bool dry_run)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    const FileLock lock = lock_pool(admin.paths, name);
    Mirror mirror(admin.paths, pool, lock);
    const PoolView view = mirror.view();
    const Goal goal = goal_of(admin, pool, view);
    const Plan steps = plan(view, goal);
    if (!steps.refusal.empty())
        throw Error(steps.refusal, steps.next);
    std::vector<std::string> lines;
    for (const Step step : steps.steps)
        lines.push_back(to_string(step));
    if (dry_run)
        return lines;
    if (goal == Goal::attached)
        mirror.attach();
    else
        mirror.repair();
    return lines;
}

ScrubResult scrub_pool(const Admin& admin, const std::string& name,
                       const std::function<void(double)>& show)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
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
    return result;
}

} // namespace zraid
