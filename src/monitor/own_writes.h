#pragma once

#include "util/paths.h"

namespace zraid {

/// md marks an array clean a fifth of a second after its last write, and dirty before the next one
/// (safe_mode_delay, Documentation/admin-guide/md.rst). Each is a flush of the image, behind all
/// that the page cache holds of it, and the guest's write waits for the second. They notice a dead
/// disk leg, which the flush of a guest does not; while somebody else looks for that, they may be
/// rare.
///
/// Writes of an array that is not there are no concern: nothing happens, nothing is thrown.
void make_own_writes_rare(const Paths& paths, int md_number);

/// As md does it: for the time after the one who looked.
void make_own_writes_usual(const Paths& paths, int md_number);

} // namespace zraid
