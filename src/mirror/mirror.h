#pragma once

#include "devices/bitmap.h"
#include "devices/write_errors.h"
#include "mirror/plan.h"
#include "mirror/state.h"
#include "pools/definition.h"
#include "util/lock.h"
#include "util/paths.h"

namespace zraid {

/// Takes the lock of a pool, which every change of it needs.
FileLock lock_pool(const Paths& paths, const std::string& pool,
                   Milliseconds limit = Milliseconds{30'000});

/// What the administrator does about a disk leg that failed while the RAM leg is good.
inline constexpr const char* kMendDiskLeg =
    "see the kernel's log, mend what the image lies on, then zraid-pool repair; keep the host "
    "running until then";

/// A pool's array and its legs: brings them from whatever state they are in to the one asked for.
/// Each call looks at the kernel first and does only what is missing, so that it may be repeated,
/// also after a crash in the middle.
class Mirror
{
public:
    /// @param lock of this pool, held as long as the object is used
    Mirror(Paths paths, PoolDefinition pool, const FileLock& lock);

    /// Makes the array on an image that holds nothing; assembles it if it was made before. What
    /// stands on it is neither made nor brought up.
    /// @throws Error, also if the image holds another array
    void create();
    /// The array is there, on its disk leg, and its volumes can be used.
    void assemble() { reach(Goal::assembled); }
    /// The array has its RAM leg. Returns as soon as it is a member; the kernel fills it.
    void attach() { reach(Goal::attached); }
    /// The array has no RAM leg, and its memory is free.
    /// @throws Error if the disk leg is not in sync
    void detach() { reach(Goal::detached); }
    /// No array, no loop, no zram; a file system is not mounted, a volume group not active.
    /// @throws Error if the disk leg is not in sync, or something has the array open
    void stop() { reach(Goal::stopped); }

    /// A disk leg that failed and answers again is taken back; md copies what it missed. A RAM leg
    /// that failed is cleared away; attach() brings a new one. Returns while md copies.
    void repair() { reach(Goal::repaired); }

    /// The array becomes as large as its image, with everything above it open. The RAM leg goes if
    /// anything is to grow; attach() brings a larger one.
    /// @throws Error if the array is not there, or its disk leg not in sync
    void grow() { reach(Goal::grown); }

    /// Has md copy these chunks from the RAM leg to the disk leg, which is taken out for a moment.
    /// Returns while md copies.
    /// @throws Error unless the pool is mirrored
    void copy_again(const std::vector<ChunkRange>& ranges);

    /// A disk leg that failed leaves the array, and its image is on no loop device any more: what
    /// the image lies on can be unmounted and mended. Does nothing if there is a disk leg that
    /// works.
    void let_go_of_failed_disk_leg();

    /// Whoever has the array, or what stands on it, open is left alone.
    /// @throws Error that names who it is
    void refuse_use() const;

    /// The administrator says that the image is right where the legs differ: the doubt ends, and a
    /// RAM leg that was kept because of it goes. attach() brings a new one.
    void believe_image();

    PoolView view() const { return view_pool(paths_, pool_); }

private:
    void reach(Goal goal);
    void take(Step step);
    void check_image() const;
    void refuse_second_array() const;
    void assemble_array() const;
    void tune() const;
    void add_whole(const std::string& zram) const;
    std::uint64_t add_sparse(const std::string& zram) const;
    void add_ram_leg(const std::string& zram) const;
    void drop_ram_leg(const PoolView& now) const;
    void prove_image(const WriteErrors& errors, const PoolView& now) const;
    void refuse_image_with_holes(const PoolView& now) const;
    void remember_fault(const PoolView& now) const;
    void match_discard(const std::string& disk_leg) const;
    void refuse_use_of_array() const;
    void fail_lost_leg(const PoolView& now) const;
    void remove_disk_leg(const PoolView& now) const;
    void re_add_disk_leg(const PoolView& now) const;
    void grow_array() const;
    void stop_array(int number) const;
    void flush() const;
    void let_go_of_image() const;

    Paths paths_;
    PoolDefinition pool_;
    int lock_fd_;
};

/// Attaches the RAM leg, or warns: a pool works without one. Why it has none is noted for those who
/// look at the pool later, see attach_problem().
void attach_if_possible(const Paths& paths, Mirror& mirror, const std::string& pool);

/// Notes why a pool that should have a RAM leg has none; empty: there is nothing to tell any more.
void note_attach_problem(const Paths& paths, const std::string& pool, const std::string& text);

/// What was noted last; empty if nothing was, or the RAM leg came or went since.
std::string attach_problem(const Paths& paths, const std::string& pool);

} // namespace zraid
