#include "monitor/care.h"

#include <algorithm>

namespace zraid {

std::string to_string(Care care)
{
    switch (care) {
    case Care::none:
        return "nothing";
    case Care::clear_ram_leg:
        return "clear the failed RAM leg away";
    case Care::attach:
        return "attach a RAM leg";
    case Care::detach:
        return "detach the RAM leg";
    case Care::repair_disk_leg:
        return "take the disk leg back";
    case Care::verify:
        return "compare the disk leg with the RAM leg";
    }
    return "unknown";
}

Care care_for(const PoolView& view, bool wants_ram)
{
    switch (view.state()) {
    case PoolState::inactive:
    case PoolState::failed:
        return Care::none;
    case PoolState::disk_only:
        if (view.kept_ram_leg())
            return Care::none;
        if (wants_ram)
            return Care::attach;
        return view.ram || view.stray_zram ? Care::clear_ram_leg : Care::none;
    case PoolState::filling:
        return wants_ram ? Care::none : Care::detach;
    case PoolState::mirrored:
        if (view.lost_its_device() || view.image_fault == ImageFault::unusable)
            return Care::repair_disk_leg;
        if (view.doubt_needs_word || view.image_fault == ImageFault::too_short)
            return Care::none;
        if (view.in_doubt)
            return Care::verify;
        return wants_ram ? Care::none : Care::detach;
    case PoolState::ram_only:
        // A disk leg that is there and did not fail is being copied to.
        return view.disk && !view.disk->faulty ? Care::none : Care::repair_disk_leg;
    }
    return Care::none;
}

Milliseconds Backoff::left(Clock::time_point now) const
{
    return std::max(Milliseconds{0}, std::chrono::ceil<Milliseconds>(due_ - std::min(now, due_)));
}

void Backoff::failed(Clock::time_point now)
{
    wait_ = std::min(std::max(first_, wait_ * 2), longest_);
    due_ = now + wait_;
}

void Backoff::succeeded()
{
    wait_ = Milliseconds{0};
    due_ = {};
}

bool Outgrown::may_fit(std::uint64_t limit_now, std::uint64_t allocated_now) const
{
    return limit_now > limit || allocated_now < allocated / 10 * 9;
}

} // namespace zraid
