#pragma once

#include "admin/admin.h"
#include "adoption/copied_image.h"
#include "pools/adoption_record.h"
#include "util/lock.h"

namespace zraid {

/// Of a disk that was copied into its pool: does its old name belong to the file that a release
/// made, with everything that the guest has written?
///
/// As long as the domain has the volume it may have been started in it since, behind a release that
/// was killed: then only a pool's image that nobody has touched says so.
/// @throws Error if there is a file of that name which is not the one, or may be
/// anybody's by now
bool is_copied_back(const Admin& admin, const AdoptionRecord& record);

/// @throws Error with the figures if the file system has no room for the disk once more
void need_room_for_release(const AdoptionRecord& record);

/// Copies the disk from the pool's image, whose array it stops, into a new file, which gets the old
/// name when it is complete and on its file system's disk. Owner, mode and extended attributes are
/// those of the kept file, or of the pool's image. On failure the pool is as before.
void copy_back(const Admin& admin, AdoptionRecord& record, const FileLock& lock,
               const Progress& show);

} // namespace zraid
