#include "monitor/keeper.h"

#include "admin/repair.h"
#include "admin/report.h"
#include "admin/users.h"
#include "devices/image.h"
#include "devices/page_cache.h"
#include "devices/zram.h"
#include "mirror/hold.h"
#include "mirror/ram_leg.h"
#include "mirror/verify.h"
#include "pools/pool_log.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/log.h"
#include "util/size.h"

#include <algorithm>

#include <fmt/core.h>

namespace zraid {

namespace {

/// libvirt is asked this often, at most, whether a pool's users still run. A release tells us of
/// its own; this is for a domain that went without one.
constexpr Milliseconds kAskLibvirt{30'000};
/// Whoever holds the lock is at work on the pool: look again when he is done, or then.
constexpr Milliseconds kBusy{1'000};
constexpr Milliseconds kLockPatience{50};
/// The kernel does not tell how far it has copied, so it is asked, while it copies.
constexpr Milliseconds kFillGlance{1'000};
/// … nor when what an image lies on is whole again.
constexpr Milliseconds kFaultGlance{5'000};
/// libvirt answers soon, or never.
constexpr Milliseconds kAnswer{500};
constexpr std::chrono::minutes kLasted{10};

/// A RAM leg that failed, or is in no array any more, takes memory and is no use.
bool has_lost_ram_leg(Care care, const PoolView& view)
{
    return (care == Care::attach || care == Care::clear_ram_leg) && (view.ram || view.stray_zram);
}

void shorten(std::optional<Milliseconds>& time, Milliseconds other)
{
    time = time ? std::min(*time, other) : other;
}

} // namespace

Keeper::Keeper(Admin admin, std::string pool, Milliseconds patience)
    : admin_(std::move(admin)), name_(std::move(pool)), patience_(patience)
{
}

void Keeper::drop_dead_claims(Clock::time_point now, Look& look)
{
    if (Claims(admin_.paths, name_).list().empty())
        return;
    if (!claims_asked_ || now - *claims_asked_ >= kAskLibvirt) {
        question_.ask(admin_, name_);
        claims_asked_ = now;
    }
    const auto dead = question_.answer(patience_);
    if (!dead) {
        if (now - *claims_asked_ < kAskLibvirt)
            shorten(look.again, kAnswer);
        return;
    }
    if (dead->empty())
        return;
    const FileLock lock = lock_pool(admin_.paths, name_, kLockPatience);
    drop_claims(admin_, name_, *dead);
    if (!Claims(admin_.paths, name_).list().empty())
        return;
    set_hold(admin_.paths, name_, Hold::none);
    // Of a release that was killed when the device was gone already.
    if (!RamLegRecord::device_of(admin_.paths, name_))
        RamLegRecord::remove(admin_.paths, name_);
}

/// At once when it is new, then again and again: nobody should have to look for it.
void Keeper::tell_trouble(const std::string& trouble, Clock::time_point now)
{
    if (trouble != trouble_) {
        if (trouble.empty())
            log().warn("pool '{}': all is well again", name_);
        trouble_ = trouble;
        tell_.succeeded();
    }
    if (trouble.empty() || tell_.left(now) > Milliseconds{0})
        return;
    log().critical("pool '{}': {}", name_, trouble);
    tell_.failed(now);
}

/// Looked at while the device is still there to tell why.
void Keeper::note_lost_ram_leg(const PoolDefinition& pool, const PoolView& view,
                               Clock::time_point now)
{
    const std::string device = view.ram ? view.ram->device : view.stray_zram.value_or("");
    const auto statistics = zram_statistics(admin_.paths, device);
    if (device.empty() || !statistics)
        return;
    outgrown_.reset();
    if (statistics->limit != 0 && statistics->peak > statistics->limit) {
        outgrown_ = Outgrown{statistics->limit, allocated_bytes(pool.image)};
        lost_ram_leg_ = fmt::format("the RAM leg reached its limit of {}, and the kernel dropped "
                                    "it. Next: define the pool with a larger --ram-limit",
                                    format_size(statistics->limit));
    } else {
        lost_ram_leg_ = view.ram ? "the kernel dropped the RAM leg, see its log"
                                 : "the RAM leg was taken out of the array";
    }
    log().warn("pool '{}' runs from its disk leg alone: {}", name_, lost_ram_leg_);
    // One that lasted is no sign that the next will not.
    if (attached_at_ && now - *attached_at_ > kLasted)
        ram_.succeeded();
    ram_.failed(now);
}

/// A fill, or a check, reads the image through the page cache, which has better use for the memory:
/// while the pool is mirrored, nobody reads the image. Each part is dropped once, so that what a
/// guest writes is not hurried to the disk again and again.
void Keeper::drop_cache(const PoolDefinition& pool, const PoolView& view, Look& look)
{
    const PoolState state = view.state();
    const std::uint64_t offset = view.data_offset();
    if (state != PoolState::filling && state != PoolState::mirrored) {
        cached_ = true; // a guest reads the image, and what is cached serves it
        dropped_ = 0;
        return;
    }
    if (const auto position = sync_position(admin_.paths, pool.md_number)) {
        if (*position < dropped_)
            dropped_ = 0;
        drop_cached_pages(pool.image, offset + dropped_, offset + *position);
        dropped_ = *position;
        cached_ = true;
        shorten(look.again, kFillGlance);
    } else if (state == PoolState::mirrored && cached_) {
        drop_cached_pages(pool.image, offset + dropped_, 0);
        dropped_ = 0;
        cached_ = false;
    }
}

bool Keeper::is_outgrown(const PoolDefinition& pool)
{
    return outgrown_ && !outgrown_->may_fit(pool.settings.ram_limit.value_or(pool.size),
                                            allocated_bytes(pool.image));
}

Backoff& Keeper::backoff_of(Care care)
{
    return care == Care::repair_disk_leg || care == Care::verify ? disk_ : ram_;
}

/// @return false: with the lock, which keeps others from changing it, it is not needed any more
bool Keeper::give(Care care, const PoolDefinition& pool)
{
    if (care == Care::verify) { // takes the lock itself, for as long as it changes something
        verify_disk_leg(admin_, name_, [](double) {});
        return true;
    }
    const FileLock lock = lock_pool(admin_.paths, name_, kLockPatience);
    Mirror mirror(admin_.paths, pool, lock);
    const PoolView view = mirror.view();
    const Care needed = care_for(view, wants_ram(admin_.paths, pool));
    if (needed != care && !(care == Care::clear_ram_leg && has_lost_ram_leg(needed, view)))
        return false;
    switch (care) {
    case Care::attach:
        mirror.attach();
        break;
    case Care::detach:
        mirror.detach();
        Claims(admin_.paths, name_).tidy();
        break;
    case Care::clear_ram_leg:
    case Care::repair_disk_leg:
        mirror.repair();
        break;
    case Care::verify:
    case Care::none:
        break;
    }
    return true;
}

void Keeper::attempt(Care care, const PoolDefinition& pool, Clock::time_point now, Look& look)
{
    Backoff& backoff = backoff_of(care);
    try {
        if (!give(care, pool)) {
            shorten(look.again, kBusy);
            return;
        }
    } catch (const LockTimeout&) {
        shorten(look.again, kBusy);
        return;
    } catch (const std::exception& e) {
        log().warn("pool '{}': {}: {}", name_, to_string(care), explain(e));
        if (care == Care::attach)
            note_attach_problem(admin_.paths, name_, explain(e));
        backoff.failed(now);
        shorten(look.again, backoff.left(now));
        return;
    }
    if (care == Care::attach)
        attached_at_ = now;
    else if (care != Care::clear_ram_leg)
        backoff.succeeded();
    look.done = care;
}

Keeper::Look Keeper::look(Clock::time_point now)
{
    Look look;
    const PoolStore store(admin_.paths);
    if (!store.contains(name_))
        return look;
    const PoolDefinition pool = store.load(name_);
    const PoolLog fields(pool);
    try {
        drop_dead_claims(now, look);
    } catch (const LockTimeout&) {
        claims_asked_.reset();
        shorten(look.again, kBusy);
    }
    const PoolView view = view_pool(admin_.paths, pool);
    const bool wanted = wants_ram(admin_.paths, pool);
    const Care care = care_for(view, wanted);
    drop_cache(pool, view, look);
    look.trouble = trouble_of(view);
    tell_trouble(look.trouble, now);
    if (!look.trouble.empty())
        shorten(look.again, tell_.left(now));
    if (view.image_fault != ImageFault::none)
        shorten(look.again, kFaultGlance);
    if (wanted && !Claims(admin_.paths, name_).list().empty())
        shorten(look.again, kAskLibvirt);
    if (care == Care::none)
        return look;

    const bool lost = has_lost_ram_leg(care, view);
    if (lost && ram_.left(now) == Milliseconds{0})
        note_lost_ram_leg(pool, view, now);
    // The memory of a lost one at once; another one when it is time.
    const Care due = lost ? Care::clear_ram_leg : care;
    if (due == Care::attach && is_outgrown(pool))
        return look;
    const Milliseconds left = backoff_of(due).left(now);
    if (due != Care::clear_ram_leg && left > Milliseconds{0}) {
        shorten(look.again, left);
        return look;
    }
    attempt(due, pool, now, look);
    if (look.done != Care::none && lost && wanted)
        note_attach_problem(admin_.paths, name_, lost_ram_leg_);
    return look;
}

} // namespace zraid
