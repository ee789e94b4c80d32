#pragma once

#include "util/paths.h"

#include <string>

namespace zraid {

// Members of an array that runs, by the kernel's own interfaces: a process for each of these would
// be most of the time that a domain's start waits for its RAM leg.

/// Takes back a device that has a superblock of this array (ioctl ADD_NEW_DISK, md_add_new_disk in
/// drivers/md/md.c): md copies only the chunks that its bitmap has marked. Refused where it would
/// have to copy all.
/// @param slot the device's place in the array, which its superblock has to name as well
/// @param write_mostly reads go to it only where no other member can serve them
/// @throws SystemError
void re_add_member(const Paths& paths, int md_number, const std::string& device, int slot,
                   bool write_mostly);

/// Marks a member faulty: md reads and writes it no more.
/// @throws SystemError, EBUSY where it is the last one that is in sync
void fail_member(const Paths& paths, int md_number, const std::string& device);

/// Takes out a member that is faulty, as soon as md is done with it. One that is no member any more
/// is left alone.
/// @throws SystemError
void remove_member(const Paths& paths, int md_number, const std::string& device);

} // namespace zraid
