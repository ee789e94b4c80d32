#pragma once

#include "admin/admin.h"
#include "mirror/state.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace zraid {

/// Which leg counts where they differ.
enum class RightLeg
{
    image,
    ram,
};

/// Takes back a disk leg that failed and answers again, clears away a RAM leg that failed, and
/// gives the pool a new RAM leg where it should have one. Returns while md copies.
/// @param dry_run change nothing
/// @param right the leg that the administrator takes for right where they differ; nothing: he did
/// not say
/// @return what was done, or would be, a line each
std::vector<std::string> repair_pool(const Admin& admin, const std::string& name, bool dry_run,
                                     std::optional<RightLeg> right = std::nullopt);

/// Compares a disk leg that came back with the array, and has md copy what differs, until nothing
/// does; see DoubtMark. Waits for md first. Nothing happens if there is no doubt.
/// @param show called at least twice a second with the share that is done, 0 to 100
/// @return bytes, in whole chunks, that the disk leg had missed unnoticed
/// @throws Error if the pool is not mirrored, or stops being so, or the legs do not become the
/// same; a disk leg that failed once more has let go of its image then
std::uint64_t verify_disk_leg(const Admin& admin, const std::string& name,
                              const std::function<void(double)>& show);

/// What a comparison of the legs found.
struct ScrubResult
{
    std::uint64_t mismatches = 0; ///< bytes that differed at the last pass
    int passes = 0;
};

/// Lets md compare both legs (sync_action "check") and waits for it. Pages that a guest changes
/// while they are on their way to both legs differ without harm and are the same again soon: only
/// what differs in three passes in a row counts. The pool is in doubt then: both legs stay as they
/// are until an administrator says which one is right.
/// @param show called at least twice a second with the share that is done, 0 to 100
/// @throws Error if the pool is not mirrored, or stops being so
ScrubResult scrub_pool(const Admin& admin, const std::string& name,
                       const std::function<void(double)>& show);

} // namespace zraid
