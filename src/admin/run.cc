#include "admin/run.h"

#include "admin/libvirt_pool.h"
#include "admin/users.h"
#include "mirror/mirror.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/files.h"
#include "util/rollback.h"

#include <chrono>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>

namespace zraid {

namespace {

constexpr Milliseconds kGlance{400};

std::string attach_command(const std::string& name)
{
    return "zraid-pool attach " + name;
}

/// Sleeps until md says that its sync_action changed (it notifies pollers of the file,
/// Documentation/admin-guide/md.rst), but no longer than a glance: progress is not notified.
void await_change(const Paths& paths, const PoolDefinition& pool, Milliseconds limit)
{
    const std::string file = paths.block("md" + std::to_string(pool.md_number)) / "md/sync_action";
    const UniqueFd fd = open_if_there(file, O_RDONLY);
    if (!fd)
        return;
    read_all(fd.get(), file, 4096); // polling starts from what was read
    pollfd entry{fd.get(), POLLPRI, 0};
    ::poll(&entry, 1, static_cast<int>(std::min(limit, kGlance).count()));
}

} // namespace

void start_pool(const Admin& admin, const std::string& name)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    const FileLock lock = lock_pool(admin.paths, name);
    Mirror mirror(admin.paths, pool, lock);
    mirror.assemble();
    if (pool.attach == AttachPolicy::always)
        mirror.attach();
    if (pool.libvirt)
        in_context(fmt::format("'{}' is up, but its storage pool is not", pool.md_device()),
                   [&] { register_pool(admin, LibvirtConnection(admin.uri), pool); });
}

void stop_pool(const Admin& admin, const std::string& name)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    const auto dead = dead_claims(admin, name);
    const FileLock lock = lock_pool(admin.paths, name);
    drop_claims(admin, name, dead);
    refuse_users(admin, name);
    Rollback rollback;
    if (pool.libvirt && deactivate_pool(LibvirtConnection(admin.uri), pool))
        rollback.add("start the storage pool again",
                     [&] { LibvirtConnection(admin.uri).start_pool(name); });
    Mirror(admin.paths, pool, lock).stop();
    rollback.keep();
}

void attach_pool(const Admin& admin, const std::string& name)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    const FileLock lock = lock_pool(admin.paths, name);
    Mirror mirror(admin.paths, pool, lock);
    if (mirror.view().state() == PoolState::inactive)
        throw Error("its array is not there", fmt::format("zraid-pool start {}", name));
    mirror.attach();
}

void detach_pool(const Admin& admin, const std::string& name)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    const FileLock lock = lock_pool(admin.paths, name);
    Mirror(admin.paths, pool, lock).detach();
}

void wait_pool(const Admin& admin, const std::string& name, std::optional<Milliseconds> limit,
               const std::function<void(const PoolView&)>& show)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    const auto begin = std::chrono::steady_clock::now();
    for (;;) {
        const PoolView view = view_pool(admin.paths, pool);
        const PoolState state = view.state();
        show(view);
        if (state == PoolState::mirrored)
            return;
        if (state != PoolState::filling)
            throw Error(fmt::format("it is {}: there is no RAM leg that fills", to_string(state)),
                        state == PoolState::inactive ? fmt::format("zraid-pool start {}", name)
                                                     : attach_command(name));
        Milliseconds left = kGlance;
        if (limit) {
            left = *limit - std::chrono::duration_cast<Milliseconds>(
                                std::chrono::steady_clock::now() - begin);
            if (left <= Milliseconds{0})
                throw Error(fmt::format("still filling after {} s, {:.1f} % done",
                                        limit->count() / 1000, view.fill_percent().value_or(0)),
                            "give it more time; it goes on by itself");
        }
        await_change(admin.paths, pool, left);
    }
}

} // namespace zraid
