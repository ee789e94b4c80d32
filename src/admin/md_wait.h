#pragma once

#include "util/paths.h"
#include "util/wait.h"

namespace zraid {

/// How often progress is looked at: md tells of a change of its action, not of progress.
inline constexpr Milliseconds kGlance{400};

/// Waits until md tells that an array's sync_action changed (pollers of the file are notified,
/// Documentation/admin-guide/md.rst), but no longer than the limit, nor than a glance.
void await_sync_change(const Paths& paths, int md_number, Milliseconds limit);

} // namespace zraid
