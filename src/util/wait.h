#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <thread>

namespace zraid {

using Milliseconds = std::chrono::milliseconds;

/// Asks again and again until the condition holds or the time is up; for conditions that the kernel
/// gives no notification of. Steps grow from 1 ms to 50 ms: most of them are true at once.
/// @return whether the condition held
template <std::predicate F>
bool wait_until(Milliseconds limit, F&& holds)
{
    const auto end = std::chrono::steady_clock::now() + limit;
    Milliseconds step{1};
    for (;;) {
        if (holds())
            return true;
        if (std::chrono::steady_clock::now() >= end)
            return false;
        std::this_thread::sleep_for(step);
        step = std::min(step * 2, Milliseconds{50});
    }
}

} // namespace zraid
