#pragma once

#include "mirror/state.h"
#include "pools/definition.h"
#include "util/paths.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace zraid {

/// Prepares a fresh zram so that md, when it is re-added, copies only what the image holds: marks
/// the chunks with data in the array's bitmap, checks that they are marked, and gives the zram a
/// superblock of this array. Holes read as zeros on both legs.
///
/// Right under writes that go on meanwhile: while the RAM leg is missing, md marks by itself every
/// chunk that is written to. Only to be called while the RAM leg is missing.
/// @param zram name of the device
/// @return bytes that md will copy, in whole chunks
/// @throws Error if any of this is not as expected; the zram must not be used then
std::uint64_t prepare_sparse_fill(const Paths& paths, const PoolDefinition& pool,
                                  const std::string& zram);

/// How far the fill of a RAM leg is.
struct FillProgress
{
    std::uint64_t total = 0;    ///< bytes to copy in all: less than the image has if it has holes
    std::uint64_t left = 0;     ///< bytes still to copy
    std::uint64_t position = 0; ///< bytes from the array's begin; what lies before is copied
    std::uint64_t speed = 0;    ///< bytes a second of late; 0: not known yet

    double percent() const; ///< 0 to 100
    /// At this speed; nothing while there is no figure.
    std::optional<std::chrono::seconds> remaining() const;
};

/// @return nothing unless the pool is filling
std::optional<FillProgress> fill_progress(const Paths& paths, const PoolDefinition& pool,
                                          const PoolView& view);

} // namespace zraid
