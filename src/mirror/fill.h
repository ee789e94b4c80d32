#pragma once

#include "pools/definition.h"
#include "util/paths.h"

#include <string>

namespace zraid {

/// Prepares a fresh zram so that md, when it is re-added, copies only what the image holds: marks
/// the chunks with data in the array's bitmap, checks that they are marked, and gives the zram a
/// superblock of this array. Holes read as zeros on both legs.
///
/// Right under writes that go on meanwhile: while the RAM leg is missing, md marks by itself every
/// chunk that is written to. Only to be called while the RAM leg is missing.
/// @param zram name of the device
/// @throws Error if any of this is not as expected; the zram must not be used then
void prepare_sparse_fill(const Paths& paths, const PoolDefinition& pool, const std::string& zram);

} // namespace zraid
