#include "admin/run.h"

#include "admin/libvirt_pool.h"
#include "admin/md_wait.h"
#include "admin/users.h"
#include "layout/layout.h"
#include "mirror/hold.h"
#include "mirror/mirror.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/rollback.h"

#include <chrono>

#include <fmt/core.h>

namespace zraid {

namespace {

/// What brings a pool from a state in which nothing fills to one in which something does.
std::string what_helps(PoolState state, const std::string& name)
{
    switch (state) {
    case PoolState::inactive:
        return fmt::format("zraid-pool start {}", name);
    case PoolState::ram_only:
        return fmt::format("bring the image's device back, then zraid-pool repair {}", name);
    case PoolState::failed:
        return "see /proc/mdstat and the kernel's log";
    default:
        return fmt::format("zraid-pool attach {}", name);
    }
}

void assemble_and_attach(const Admin& admin, const PoolDefinition& pool, const FileLock& lock)
{
    Mirror mirror(admin.paths, pool, lock);
    mirror.assemble();
    if (pool.settings.attach == AttachPolicy::always)
        attach_if_possible(admin.paths, mirror, pool.name);
}

} // namespace

void start_pool(const Admin& admin, const std::string& name)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    const FileLock lock = lock_pool(admin.paths, name);
    assemble_and_attach(admin, pool, lock);
    if (pool.settings.libvirt)
        in_context(fmt::format("'{}' is up, but its storage pool is not", pool.md_device()),
                   [&] { register_pool(admin, LibvirtConnection(admin.uri), pool); });
}

void start_array_of(const Admin& admin, const std::string& name)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    assemble_and_attach(admin, pool, lock_pool(admin.paths, name));
}

void stop_pool(const Admin& admin, const std::string& name)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    const auto dead = dead_claims(admin, name);
    const FileLock lock = lock_pool(admin.paths, name);
    drop_claims(admin, name, dead);
    refuse_users(admin, name);
    // Asked before libvirt, which takes down what is not in use until it meets something that is.
    Mirror mirror(admin.paths, pool, lock);
    mirror.refuse_use();
    Rollback rollback;
    if (pool.settings.libvirt)
        deactivate_pool(admin, LibvirtConnection(admin.uri), pool, rollback);
    mirror.stop();
    rollback.keep();
    set_hold(admin.paths, name, Hold::none);
}

void stop_array_of(const Admin& admin, const std::string& name)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    const FileLock lock = lock_pool(admin.paths, name);
    refuse_users(admin, name);
    Mirror(admin.paths, pool, lock).stop();
    set_hold(admin.paths, name, Hold::none);
}

void attach_pool(const Admin& admin, const std::string& name)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    const FileLock lock = lock_pool(admin.paths, name);
    Mirror mirror(admin.paths, pool, lock);
    if (mirror.view().state() == PoolState::inactive)
        throw Error("its array is not there", fmt::format("zraid-pool start {}", name));
    mirror.attach();
    set_hold(admin.paths, name, Hold::attached);
}

void detach_pool(const Admin& admin, const std::string& name)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    const FileLock lock = lock_pool(admin.paths, name);
    // Said first: whoever looks in between must not bring it back.
    const Hold before = hold_of(admin.paths, name);
    set_hold(admin.paths, name, Hold::detached);
    try {
        Mirror(admin.paths, pool, lock).detach();
    } catch (...) {
        set_hold(admin.paths, name, before);
        throw;
    }
}

void wait_pool(const Admin& admin, const std::string& name, std::optional<Milliseconds> limit,
               const std::function<void(const FillProgress&)>& show)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    const auto begin = std::chrono::steady_clock::now();
    for (;;) {
        const PoolView view = view_pool(admin.paths, pool);
        const PoolState state = view.state();
        const auto fill = fill_progress(admin.paths, pool, view);
        if (fill)
            show(*fill);
        if (state == PoolState::mirrored)
            return;
        if (state != PoolState::filling)
            throw Error(fmt::format("it is {}: there is no RAM leg that fills", to_string(state)),
                        what_helps(state, name));
        Milliseconds left = kGlance;
        if (limit) {
            left = *limit - std::chrono::duration_cast<Milliseconds>(
                                std::chrono::steady_clock::now() - begin);
            if (left <= Milliseconds{0})
                throw Error(fmt::format("still filling after {} s, {:.1f} % done",
                                        limit->count() / 1000, fill ? fill->percent() : 0),
                            "give it more time; it goes on by itself");
        }
        await_sync_change(admin.paths, pool.md_number, left);
    }
}

} // namespace zraid
