#pragma once

#include "mirror/state.h"
#include "util/wait.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace zraid {

/// What a pool needs that nobody else will give it.
enum class Care
{
    none,
    clear_ram_leg,   ///< a RAM leg that failed, and no other is wanted
    attach,          ///< there should be a RAM leg
    detach,          ///< there should be none: a release was killed, or could not do it
    repair_disk_leg, ///< the disk leg failed
    verify,          ///< the disk leg came back and was not compared since
};

std::string to_string(Care care);

/// @param wants_ram see wants_ram() in mirror/hold.h
Care care_for(const PoolView& view, bool wants_ram);

/// How long to wait before something that failed is tried again: twice as long each time.
class Backoff
{
public:
    using Clock = std::chrono::steady_clock;

    Backoff(Milliseconds first, Milliseconds longest) : first_(first), longest_(longest) {}

    /// How long until it is due; 0: now.
    Milliseconds left(Clock::time_point now) const;
    void failed(Clock::time_point now);
    void succeeded();

private:
    Milliseconds first_;
    Milliseconds longest_;
    Milliseconds wait_{0};
    Clock::time_point due_;
};

/// What a RAM leg was like when the kernel dropped it because its limit was reached. The next one
/// would end the same way, unless there is more room or less data.
struct Outgrown
{
    std::uint64_t limit = 0;     ///< of the zram device, bytes
    std::uint64_t allocated = 0; ///< by the image, bytes

    /// @param limit_now that a new RAM leg would have
    /// @param allocated_now by the image
    bool may_fit(std::uint64_t limit_now, std::uint64_t allocated_now) const;
};

} // namespace zraid
