#pragma once

#include "admin/admin.h"
#include "mirror/claims.h"
#include "util/wait.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace zraid {

/// Which users of a pool do not run any more, asked of libvirt in a thread of its own: a daemon
/// that is stopped, or waits for a hook, answers never, and nothing else of a pool's care waits for
/// it.
class ClaimQuestion
{
public:
    /// Asks, unless the last question has no answer yet.
    void ask(const Admin& admin, const std::string& pool);
    /// The answer, once; nothing while there is none.
    /// @param patience how long to wait for it
    std::optional<std::vector<Claim>> answer(Milliseconds patience);

private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
};

} // namespace zraid
