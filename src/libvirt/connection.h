#pragma once

#include "libvirt/session.h"
#include "util/uuid.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace zraid {

/// A storage pool as libvirt knows it.
struct LibvirtPool
{
    Uuid uuid;
    bool active = false;
    bool autostart = false;
};

/// A volume as libvirt knows it.
struct LibvirtVolume
{
    std::string name;
    std::string path;
    std::uint64_t capacity = 0;   ///< bytes
    std::uint64_t allocation = 0; ///< bytes that it takes of the pool
    std::string format;           ///< "raw", "qcow2"
};

/// A domain's disk, with the source as its XML has it.
struct LibvirtDisk
{
    std::string domain;
    bool running = false;
    std::string target; ///< "vda"
    std::string path;   ///< of a block device or file
    std::string pool;   ///< of a volume
    std::string volume;
};

/// A connection to libvirt's daemon (https://libvirt.org/html/libvirt-libvirt-storage.html). Never
/// used in a hook: libvirt holds locks there. Errors carry libvirt's own text.
class LibvirtConnection
{
public:
    /// @param uri such as "qemu:///system"
    /// @throws Error if the daemon cannot be reached
    explicit LibvirtConnection(const std::string& uri);

    std::optional<LibvirtPool> find_pool(const std::string& name) const;
    /// Types of storage pools that the daemon has a backend for, "disk" and so on; Debian has some
    /// of them in packages of their own.
    std::set<std::string> pool_types() const;
    void define_pool(const std::string& xml) const;
    void start_pool(const std::string& name) const;
    /// Makes it inactive; its content stays.
    void stop_pool(const std::string& name) const;
    void undefine_pool(const std::string& name) const;
    void set_autostart(const std::string& name, bool on) const;
    /// Reads the volumes anew.
    void refresh_pool(const std::string& name) const;

    std::vector<LibvirtVolume> volumes(const std::string& pool) const;
    LibvirtVolume create_volume(const std::string& pool, const std::string& xml) const;
    void delete_volume(const std::string& pool, const std::string& volume) const;
    /// Makes a volume larger that no domain has open.
    void grow_volume(const std::string& pool, const std::string& volume, std::uint64_t bytes) const;

    /// UUIDs of the domains that run.
    std::vector<Uuid> running_domains() const;

    /// Disks of all domains. Of one that runs those that it has now.
    std::vector<LibvirtDisk> disks() const;
    /// Tells a running domain that its disk has grown (virsh blockresize).
    /// @param bytes what the device has by now
    void tell_size(const std::string& domain, const std::string& target, std::uint64_t bytes) const;

private:
    template <typename T>
    using Handle = std::unique_ptr<T, int (*)(T*)>;

    Handle<virStoragePool> pool(const std::string& name) const;
    Handle<virStorageVol> volume(const std::string& pool, const std::string& name) const;

    LibvirtSession connection_;
};

} // namespace zraid
