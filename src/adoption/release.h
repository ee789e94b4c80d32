#pragma once

#include "admin/admin.h"
#include "adoption/copied_image.h"
#include "pools/adoption_record.h"
#include "util/lock.h"

#include <string>
#include <vector>

namespace zraid {

struct ReleaseReport
{
    std::string image;                ///< path of the file that the domain has again
    std::vector<std::string> remarks; ///< what is left to be done by hand
};

/// What a release would do.
struct ReleasePlan
{
    AdoptionRecord record;
    bool has_file = false; ///< there is its file again: one that was killed would be finished
    std::string disk;      ///< the domain's <disk> afterwards; empty: it has none
    std::vector<std::string> remarks; ///< what would be left to be done by hand
};

/// @param domain its name, or its UUID
/// @throws Error if there is none
AdoptionRecord find_adoption(const Admin& admin, const std::string& domain,
                             const std::string& target);

/// Finds out everything that can be found out without changing anything; of an array that does not
/// run, that is not what volumes it has.
/// @throws Error as release_disk() does before it changes anything
ReleasePlan plan_release(const Admin& admin, const std::string& domain, const std::string& target);

/// Takes a disk out of the pool that adopted it: a file under its old name, with its old length and
/// what the guest has written, the domain's <disk> on it again, and no pool any more. It is the
/// same file, or, of a disk that was copied into its pool, a new one that it is copied to. Also
/// undoes an adoption that was killed, and finishes a release that was.
/// @param domain its name, or its UUID
/// @param show of the copying
ReleaseReport release_disk(const Admin& admin, const std::string& domain, const std::string& target,
                           const Progress& show);

/// What both an adoption that failed and a release do. To be called with the pool's lock.
void undo_adoption(const Admin& admin, AdoptionRecord& record, const FileLock& lock,
                   ReleaseReport& report);

} // namespace zraid
