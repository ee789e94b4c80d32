#pragma once

#include "util/error.h"
#include "util/wait.h"

#include <cerrno>
#include <concepts>
#include <exception>

namespace zraid {

/// Calls `act`, and again for as long as it fails with EBUSY: the kernel's answer while something
/// is being taken down or put away, or while somebody, often udev, just looks at it.
/// @throws whatever `act` throws; SystemError with EBUSY when the time is up
template <std::invocable F>
void retry_while_busy(Milliseconds limit, F&& act)
{
    std::exception_ptr busy;
    const bool free = wait_until(limit, [&] {
        try {
            act();
            return true;
        } catch (const SystemError& e) {
            if (e.code() != EBUSY)
                throw;
            busy = std::current_exception();
            return false;
        }
    });
    if (!free)
        std::rethrow_exception(busy);
}

} // namespace zraid
