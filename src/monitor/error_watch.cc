#include "monitor/error_watch.h"

#include "mirror/state.h"
#include "mirror/verify.h"
#include "monitor/own_writes.h"
#include "pools/pool_log.h"
#include "pools/store.h"
#include "util/log.h"

namespace zraid {

namespace {

/// The kernel tells of write errors nobody but who asks.
constexpr Milliseconds kErrorGlance{2'000};

} // namespace

void ErrorWatch::tell_of(const std::string& why, bool kept)
{
    if (why == told_)
        return;
    told_ = why;
    if (kept)
        log().critical(
            "pool '{}': the image's device refused data that the page cache held ({}). "
            "The RAM leg has them, and stays until the legs were compared. Next: see the "
            "kernel's log; keep the host running",
            name_, why);
    else
        log().critical("pool '{}': the image's device refused data that the page cache held ({}), "
                       "and no RAM leg has them: they are lost. Next: see the kernel's log, check "
                       "the guest's file systems",
                       name_, why);
}

std::optional<Milliseconds> ErrorWatch::look()
{
    noted_ = false;
    const PoolStore store(admin_.paths);
    if (!store.contains(name_)) {
        errors_.reset(); // what an undefined pool stood on is not held
        return std::nullopt;
    }
    const PoolDefinition pool = store.load(name_);
    const PoolLog fields(pool);
    // Before the look at the pool, which may take its time, or fail: the kernel tells of it once.
    std::string why = errors_ ? errors_->look() : "";
    PoolView view;
    try {
        view = view_pool(admin_.paths, pool);
    } catch (...) {
        if (!why.empty())
            DoubtMark(admin_.paths, name_).set(why);
        throw;
    }
    const bool kept = view.ram || view.stray_zram;
    // A new mark for each error: one that a comparison meets on its way is not ended by it.
    const bool is_error = !why.empty();
    if (!is_error)
        why = fault_of_image(view);
    if (why.empty())
        told_.clear();
    else if (view.array && kept && (is_error || !view.in_doubt)) {
        DoubtMark(admin_.paths, name_).set(why);
        noted_ = true;
    }
    // A leg that failed lets go of its image, so that its file system can be repaired: so do we.
    if (!view.array || !view.disk || !view.disk->in_sync) {
        errors_.reset();
        return std::nullopt;
    }
    if (!why.empty())
        tell_of(why, kept);
    if (view.image && (!errors_ || errors_->file() != view.image))
        errors_.emplace(admin_.paths, pool.image);
    if (stays_ == Stays::yes)
        make_own_writes_rare(admin_.paths, pool.md_number);
    return kErrorGlance;
}

} // namespace zraid
