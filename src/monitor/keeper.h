#pragma once

#include "admin/admin.h"
#include "mirror/mirror.h"
#include "monitor/care.h"
#include "monitor/claim_question.h"

#include <optional>
#include <string>

namespace zraid {

/// Looks after one pool. What it remembers only saves work: a new one comes to the same ends.
class Keeper
{
public:
    using Clock = Backoff::Clock;

    /// What a look came to.
    struct Look
    {
        Care done = Care::none;              ///< something was done: look again soon
        std::string trouble;                 ///< what is wrong now; empty: nothing
        std::optional<Milliseconds> again{}; ///< look again then, if nothing happens before
    };

    /// @param patience for an answer of libvirt's; without one the next look takes it
    Keeper(Admin admin, std::string pool, Milliseconds patience = Milliseconds{0});

    /// Looks at the pool and gives it what it needs, if it is time for it.
    Look look(Clock::time_point now);

    /// A device that was gone may be back: what failed is tried again at once.
    void devices_changed() { disk_.succeeded(); }

private:
    void drop_dead_claims(Clock::time_point now, Look& look);
    void tell_trouble(const std::string& trouble, Clock::time_point now);
    void note_lost_ram_leg(const PoolDefinition& pool, const PoolView& view, Clock::time_point now);
    void drop_cache(const PoolDefinition& pool, const PoolView& view, Look& look);
    bool is_outgrown(const PoolDefinition& pool);
    bool give(Care care, const PoolDefinition& pool);
    void attempt(Care care, const PoolDefinition& pool, Clock::time_point now, Look& look);
    Backoff& backoff_of(Care care);

    Admin admin_;
    std::string name_;
    Milliseconds patience_;
    Backoff disk_{Milliseconds{1'000}, Milliseconds{60'000}};
    Backoff ram_{Milliseconds{5'000}, Milliseconds{600'000}};
    std::optional<Outgrown> outgrown_;
    std::optional<Clock::time_point> attached_at_;
    std::string lost_ram_leg_; ///< why the last RAM leg was lost, in words
    std::string trouble_;      ///< told last
    Backoff tell_{Milliseconds{60'000}, Milliseconds{600'000}};
    std::optional<Clock::time_point> claims_asked_;
    ClaimQuestion question_;
    bool cached_ = true;        ///< the kernel may keep pages of the image that nobody reads again
    std::uint64_t dropped_ = 0; ///< bytes from the array's begin that it does not keep any more
};

} // namespace zraid
