#include "monitor/monitor.h"

#include "monitor/error_watch.h"
#include "monitor/keeper.h"
#include "monitor/own_writes.h"
#include "monitor/plugs.h"
#include "monitor/wakeups.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/log.h"
#include "util/log_fields.h"

#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/core.h>

namespace zraid {

namespace {

/// A broken definition, or a device that cannot be read: looked at again this often.
constexpr Milliseconds kAfterError{10'000};
/// How long a single round waits for libvirt.
constexpr Milliseconds kPatience{5'000};
/// Needs that follow each other: clear away, attach; repair, compare, detach.
constexpr int kLooksOfOneRound = 6;

/// A look that is taken again and again, in a thread of its own.
class Worker
{
public:
    /// Looks once. @return when to look again, if nothing happens before
    using Look = std::function<std::optional<Milliseconds>(bool devices_changed)>;

    Worker(std::string pool, Look look) : name_(std::move(pool)), look_(std::move(look))
    {
        // Never joined: the process ends as a whole, and nothing is lost by that.
        std::thread([this] { work(); }).detach();
    }

    /// Something happened.
    void poke(bool devices_changed)
    {
        const std::lock_guard guard(mutex_);
        poked_ = true;
        devices_changed_ = devices_changed_ || devices_changed;
        wake_.notify_one();
    }

private:
    [[noreturn]] void work()
    {
        const LogField field("POOL", name_);
        for (bool devices_changed = false;;)
            devices_changed = rest(look(devices_changed));
    }

    std::optional<Milliseconds> look(bool devices_changed)
    {
        try {
            const auto again = look_(devices_changed);
            last_error_.clear();
            return again;
        } catch (const std::exception& e) {
            const std::string text = explain(e);
            if (text != last_error_)
                log().warn("pool '{}': {}", name_, text);
            last_error_ = text;
            return kAfterError;
        }
    }

    /// @return whether a device changed meanwhile
    bool rest(std::optional<Milliseconds> time)
    {
        std::unique_lock guard(mutex_);
        const auto poked = [this] { return poked_; };
        if (time)
            wake_.wait_for(guard, *time, poked);
        else
            wake_.wait(guard, poked);
        poked_ = false;
        return std::exchange(devices_changed_, false);
    }

    std::string name_;
    Look look_;
    std::string last_error_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool poked_ = false;
    bool devices_changed_ = false;
};

/// What one pool needs: what its image's device refused is looked for apart from the rest, which
/// may wait for a copy, a comparison, a lock or libvirt.
struct PoolWorkers
{
    PoolWorkers(const Admin& admin, const std::string& pool)
        : watch(admin, pool, ErrorWatch::Stays::yes), keeper(admin, pool),
          keeping(pool, [this, pool](bool devices_changed) { return keep(pool, devices_changed); }),
          watching(pool, [this](bool) { return look_for_errors(); })
    {
    }

    std::optional<Milliseconds> look_for_errors()
    {
        const auto again = watch.look();
        if (watch.noted())
            keeping.poke(false);
        return again;
    }

    std::optional<Milliseconds> keep(const std::string& pool, bool devices_changed)
    {
        if (devices_changed)
            keeper.devices_changed();
        const Keeper::Look look = keeper.look(Keeper::Clock::now());
        if (look.done == Care::none)
            return look.again;
        log().info("pool '{}': done: {}", pool, to_string(look.done));
        return Milliseconds{0};
    }

    void poke(bool devices_changed)
    {
        watching.poke(devices_changed);
        keeping.poke(devices_changed);
    }

    ErrorWatch watch;
    Keeper keeper;
    Worker keeping;
    Worker watching; ///< last: it pokes the other
};

/// Nobody looks at the images from now on: md has to. A worker that is in the middle of something
/// is ended as by SIGKILL, which it has to be ready for anyway.
[[noreturn]] void leave(const Admin& admin)
{
    for (const StoredPool& pool : PoolStore(admin.paths).load_all()) {
        if (pool.definition)
            make_own_writes_usual(admin.paths, pool.definition->md_number);
    }
    std::_Exit(0);
}

} // namespace

void monitor_pools(const Admin& admin)
{
    Wakeups wakeups(admin.paths);
    std::thread([&admin] { watch_plugs(admin); }).detach(); // the process ends as a whole
    std::map<std::string, std::unique_ptr<PoolWorkers>> workers;
    const PoolStore store(admin.paths);
    for (bool devices_changed = false;;) {
        for (const std::string& name : store.names()) {
            if (!workers.contains(name))
                workers[name] = std::make_unique<PoolWorkers>(admin, name);
        }
        for (const auto& [name, worker] : workers)
            worker->poke(devices_changed);
        devices_changed = wakeups.wait();
        if (wakeups.ended())
            leave(admin);
    }
}

RoundResult look_once(const Admin& admin)
{
    RoundResult result;
    for (const std::string& name : PoolStore(admin.paths).names()) {
        Keeper keeper(admin, name, kPatience);
        std::string trouble;
        try {
            ErrorWatch(admin, name, ErrorWatch::Stays::no).look();
            for (int i = 0; i < kLooksOfOneRound; ++i) {
                const Keeper::Look look = keeper.look(Keeper::Clock::now());
                trouble = look.trouble;
                if (look.done == Care::none)
                    break;
                result.done.push_back(fmt::format("pool '{}': {}", name, to_string(look.done)));
            }
        } catch (const std::exception& e) {
            trouble = explain(e);
        }
        if (!trouble.empty())
            result.trouble.push_back(fmt::format("pool '{}': {}", name, trouble));
    }
    return result;
}

} // namespace zraid
