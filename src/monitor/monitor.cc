#include "monitor/monitor.h"

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
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include <fmt/core.h>

namespace zraid {

namespace {

/// A broken definition, or a device that cannot be read: looked at again this often.
constexpr Milliseconds kAfterError{10'000};
/// Needs that follow each other: clear away, attach; repair, compare, detach.
constexpr int kLooksOfOneRound = 6;

/// A keeper and the thread that it lives in.
class Worker
{
public:
    Worker(const Admin& admin, std::string pool)
        : name_(pool), keeper_(admin, std::move(pool), Keeper::Stays::yes)
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
        for (;;)
            rest(look());
    }

    std::optional<Milliseconds> look()
    {
        try {
            const Keeper::Look look = keeper_.look(Keeper::Clock::now());
            last_error_.clear();
            if (look.done == Care::none)
                return look.again;
            log().info("pool '{}': done: {}", name_, to_string(look.done));
            return Milliseconds{0};
        } catch (const std::exception& e) {
            const std::string text = explain(e);
            if (text != last_error_)
                log().warn("pool '{}': {}", name_, text);
            last_error_ = text;
            return kAfterError;
        }
    }

    void rest(std::optional<Milliseconds> time)
    {
        std::unique_lock guard(mutex_);
        const auto poked = [this] { return poked_; };
        if (time)
            wake_.wait_for(guard, *time, poked);
        else
            wake_.wait(guard, poked);
        poked_ = false;
        if (devices_changed_)
            keeper_.devices_changed();
        devices_changed_ = false;
    }

    std::string name_;
    Keeper keeper_;
    std::string last_error_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool poked_ = false;
    bool devices_changed_ = false;
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
    std::map<std::string, std::unique_ptr<Worker>> workers;
    const PoolStore store(admin.paths);
    for (bool devices_changed = false;;) {
        for (const std::string& name : store.names()) {
            if (!workers.contains(name))
                workers[name] = std::make_unique<Worker>(admin, name);
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
        Keeper keeper(admin, name, Keeper::Stays::no);
        std::string trouble;
        try {
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
