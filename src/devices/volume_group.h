#pragma once

#include "util/paths.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace zraid {

/// LVM's volume group on one device, and nothing else of LVM's: every call is restricted to that
/// device, whatever the host's lvm.conf(5) says, so that nobody else's volumes are touched. LVM
/// closes the descriptors that it inherits, so a lock cannot be handed to it; its own locks keep a
/// call that outlived its caller and the next one apart.
class VolumeGroup
{
public:
    /// @param device the physical volume, such as "/dev/md100"
    VolumeGroup(std::string device, std::string name)
        : device_(std::move(device)), name_(std::move(name))
    {
    }

    /// Name of the group that the device has; empty: a physical volume of none.
    /// @return nothing if the device is no physical volume
    std::optional<std::string> found() const;

    /// Makes the device a physical volume and the group on it. Nobody activates it by himself.
    /// @throws Error if the device has a signature of anything, or the name is taken
    void make() const;

    /// All volumes are there as devices (vgchange(8)); those that are already stay as they are.
    void activate() const;
    /// No volume is there as a device.
    /// @throws Error if one is in use; others may be gone by then
    void deactivate() const;
    /// Volumes that something has open.
    std::vector<std::string> open_volumes() const;

    /// The group gets the space that the device has grown by.
    void grow() const;
    /// A volume gets all the space that is free; it may be in use.
    void extend(const std::string& volume) const;

private:
    std::string call(const std::string& program, std::vector<std::string> arguments) const;

    std::string device_;
    std::string name_;
};

/// Devices of the group of that name, as LVM sees them with the host's own configuration; empty:
/// there is none, or that configuration hides it.
/// @throws Error if LVM is not installed
std::vector<std::string> devices_of_volume_group(const std::string& name);

/// What to do where the host's configuration of LVM hides a device from its programs.
std::string hidden_group_advice(const std::string& device);

/// Device-mapper's name of a logical volume: "GROUP-VOLUME", where each dash in one of the names is
/// doubled.
std::string mapper_name(const std::string& group, const std::string& volume);

/// The volume in such a name; nothing if it is not one of this group.
std::optional<std::string> volume_in_mapper_name(const std::string& group, const std::string& name);

/// Volumes of a group that are there as devices on top of another one.
/// @param device the kernel's name of what they lie on, such as "md100"
std::set<std::string> active_volumes(const Paths& paths, const std::string& device,
                                     const std::string& group);

} // namespace zraid
