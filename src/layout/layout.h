#pragma once

#include "pools/definition.h"
#include "util/paths.h"

#include <memory>
#include <optional>
#include <set>
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

/// What a layout is, whatever pool it is of.
struct LayoutTraits
{
    std::string what;               ///< that it puts on an array, for messages: "partition table"
    bool has_volumes = true;        ///< so that libvirt can have a storage pool on it
    bool has_files = false;         ///< its volumes are files, not block devices
    bool may_be_guests = false;     ///< a domain may have the array as a whole, and what is on it
    bool fills_image = false;       ///< making it writes everywhere, not at the ends alone
    bool needs_lvm_of_host = false; ///< the host's LVM has to see the array
};

/// What a pool's type makes of its array: a partition table, a volume group or a file system, and
/// volumes in it. All that is particular to a type is asked here. Every call that changes something
/// needs the array up and the pool's lock, looks first, and does only what is missing.
class Layout
{
public:
    Layout() = default;
    Layout(const Layout&) = delete;
    Layout& operator=(const Layout&) = delete;
    Layout(Layout&&) = delete;
    Layout& operator=(Layout&&) = delete;
    virtual ~Layout() = default;

    virtual LayoutTraits traits() const = 0;

    /// Is in the kernel's files alone; starts no program.
    virtual LayoutState state() const = 0;

    /// Refuses a new pool that is too small for it, or that would be in the way of something on
    /// this host: a volume group of that name, a folder with files in it.
    /// @throws Error
    virtual void refuse_taken() const {}
    /// The programs that libvirt and zraid call for it are there.
    /// @throws Error
    virtual void check_programs() const {}
    /// Puts the layout on a new array.
    /// @throws Error if the array holds anything else; it stays as it is
    virtual void make() const = 0;
    /// What make() puts on the array is there; else it is the guest's own.
    virtual bool is_made() const { return true; }
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

    /// Where a volume is: /dev/mdNpM, /dev/POOL/VOLUME or a file below the target. It need not
    /// exist.
    virtual std::string volume_path(const std::string& volume) const = 0;
    /// Checks what somebody says is a volume of the pool.
    /// @throws Error if no volume of this pool can have that name
    virtual void check_volume_name(const std::string& volume) const = 0;
    /// The volume is there, as a device or a file.
    virtual bool has_volume(const std::string& volume) const = 0;
    /// The volume that a path means, by its text alone: for what is not there, because its array or
    /// its layout is not up.
    /// @return nothing for any other path
    virtual std::optional<std::string> volume_in_path(const std::string& path) const;
    /// Makes the link /dev/zraid/POOL/VOLUME that a path is to be, also where there is one that
    /// leads elsewhere, and takes it away where there is no such volume: whoever brought the volume
    /// up just now cannot wait for udev.
    /// @throws std::filesystem::filesystem_error
    virtual void make_volume_link(const std::string& path) const;
    /// Is this device-mapper device a volume of the pool?
    /// @param device the kernel's name, such as "dm-3"
    virtual bool is_volume(const std::string& device) const;

    /// Checks the name that somebody wants for a new volume.
    /// @param volume empty: none was said
    /// @throws UsageError
    virtual void check_new_volume_name(const std::string& volume) const = 0;
    /// The name that a new volume gets.
    /// @param wanted one that was checked
    /// @param taken names of the volumes that there are
    virtual std::string new_volume_name(const std::string& wanted,
                                        const std::set<std::string>& taken) const;
    /// Deletes a volume that libvirt cannot delete.
    /// @return false: libvirt can, and nothing was done
    /// @throws Error if it is not there, or in use
    virtual bool delete_volume(const std::string& volume) const;
    /// A volume that is a block device gets the space that is free (in a partition table: behind
    /// it). A file is grown by whoever has it open, not here.
    virtual void extend(const std::string& volume) const = 0;
    /// Who has a volume open, for people; empty: nobody.
    virtual std::string openers_of_volume(const std::string& volume) const = 0;
    /// "raw" or "qcow2".
    /// @throws Error if the volume cannot be looked at now
    virtual std::string format_of_volume(const std::string& volume) const;
    /// How volumes are made and deleted where libvirt does not know the pool.
    virtual std::string by_hand() const = 0;
};

/// @param lock_fd handed to programs that change something, see FileLock; -1: for looking only
std::unique_ptr<Layout> layout_of(const Paths& paths, const PoolDefinition& pool, int lock_fd = -1);

/// For whoever has no pool yet.
LayoutTraits layout_traits(PoolType type);

} // namespace zraid
