#include "monitor/claim_question.h"

#include "admin/users.h"
#include "util/error.h"
#include "util/log.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace zraid {

/// What the thread has when the one who asked is gone.
struct ClaimQuestion::Shared
{
    std::mutex mutex;
    std::condition_variable answered;
    std::optional<std::vector<Claim>> dead;
};

void ClaimQuestion::ask(const Admin& admin, const std::string& pool)
{
    if (shared_)
        return;
    shared_ = std::make_shared<Shared>();
    // Never joined: libvirt's library has no time limit, and the process ends as a whole.
    std::thread([shared = shared_, admin, pool] {
        std::vector<Claim> dead;
        try {
            dead = dead_claims(admin, pool);
        } catch (const std::exception& e) {
            log().info("pool '{}': {}", pool, explain(e));
        }
        const std::lock_guard guard(shared->mutex);
        shared->dead = std::move(dead);
        shared->answered.notify_all();
    }).detach();
}

std::optional<std::vector<Claim>> ClaimQuestion::answer(Milliseconds patience)
{
    if (!shared_)
        return std::nullopt;
    const auto shared = shared_;
    std::unique_lock guard(shared->mutex);
    if (!shared->answered.wait_for(guard, patience, [&] { return shared->dead.has_value(); }))
        return std::nullopt;
    shared_.reset();
    return std::move(shared->dead);
}

} // namespace zraid
