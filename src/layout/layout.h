#pragma once

#include "pools/definition.h"
#include "util/paths.h"

#include <memory>
#include <optional>
#include <string>

namespace zraid {

/// What the kernel shows of what stands on a pool's array.
enum class LayoutState
{
    none,   ///< the array is all there is to bring up
    down,   ///< the file system is not mounted
    idle,   ///< no logical volume is there as a device: not active, or there is none
    partly, ///< whoever brought it up or took it down was killed meanwhile
    up,
};

/// What a pool's type makes of its array: a partition table, a volume group or a file system. Every
/// call that changes something needs the array up and the pool's lock, looks first, and does only
/// what is missing.
class Layout
{
public:
    Layout() = default;
    Layout(const Layout&) = delete;
    Layout& operator=(const Layout&) = delete;
    Layout(Layout&&) = delete;
    Layout& operator=(Layout&&) = delete;
    virtual ~Layout() = default;

    /// Is in the kernel's files alone; starts no program.
    virtual LayoutState state() const = 0;

    /// Puts the layout on a new array.
    /// @throws Error if the array holds anything else; it stays as it is
    virtual void make() const = 0;
    /// libvirt, which calls programs with the host's configuration, will find it too.
    /// @throws Error
    virtual void refuse_hidden() const {}
    /// The volumes can be used.
    virtual void bring_up() const = 0;
    /// Nothing of it has the array open any more.
    /// @throws Error that names who uses it; then nothing was taken down
    virtual void take_down() const = 0;
    /// @throws Error that names who uses it. For whoever has libvirt take it down.
    virtual void refuse_use() const = 0;
    /// It has the space that the array has grown by; volumes may be in use.
    virtual void grow() const = 0;
    /// A volume that is a block device gets the space that is free (in a partition table: behind
    /// it). A file is grown by whoever has it open, not here.
    virtual void extend(const std::string& volume) const = 0;
};

/// @param lock_fd handed to programs that change something, see FileLock; -1: for looking only
std::unique_ptr<Layout> layout_of(const Paths& paths, const PoolDefinition& pool, int lock_fd = -1);

/// Refuses a new pool whose layout would be in the way of something on this host: a volume group
/// of that name, a folder with files in it.
/// @throws Error
void refuse_taken_layout(const Paths& paths, const PoolDefinition& pool);

} // namespace zraid
