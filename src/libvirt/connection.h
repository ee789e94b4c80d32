#pragma once

#include "util/uuid.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <libvirt/libvirt.h>

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
    std::uint64_t capacity = 0; ///< bytes
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

    /// UUIDs of the domains that run.
    std::vector<Uuid> running_domains() const;

private:
    template <typename T>
    using Handle = std::unique_ptr<T, int (*)(T*)>;

    Handle<virStoragePool> pool(const std::string& name) const;

    Handle<virConnect> connection_;
};

} // namespace zraid
