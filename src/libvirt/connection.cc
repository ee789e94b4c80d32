#include "libvirt/connection.h"

#include "libvirt/library.h"
#include "libvirt/session.h"
#include "util/error.h"

#include <array>
#include <cstdlib>

#include <pugixml.hpp>

#include <fmt/core.h>
#include <libvirt/virterror.h>

namespace zraid {

namespace {

void check(int result, const std::string& what)
{
    if (result < 0)
        fail_libvirt(what);
}

/// Format of a volume that is a file.
std::string format_of(virStorageVolPtr volume)
{
    const std::unique_ptr<char, decltype(&std::free)> xml(
        libvirt().virStorageVolGetXMLDesc(volume, 0), std::free);
    if (!xml)
        fail_libvirt("get a volume's format");
    pugi::xml_document document;
    document.load_string(xml.get());
    return document.child("volume").child("target").child("format").attribute("type").as_string(
        "raw");
}

LibvirtVolume describe(virStorageVolPtr volume)
{
    virStorageVolInfo info{};
    check(libvirt().virStorageVolGetInfo(volume, &info), "get a volume's size");
    const std::unique_ptr<char, decltype(&std::free)> path(libvirt().virStorageVolGetPath(volume),
                                                           std::free);
    if (!path)
        fail_libvirt("get a volume's path");
    return {libvirt().virStorageVolGetName(volume), path.get(), info.capacity, info.allocation,
            info.type == VIR_STORAGE_VOL_FILE ? format_of(volume) : "raw"};
}

void add_disks(std::vector<LibvirtDisk>& disks, const std::string& domain, bool running,
               const char* xml)
{
    pugi::xml_document document;
    if (!document.load_string(xml))
        throw Error(fmt::format("libvirt's XML of domain '{}' is broken", domain));
    for (const pugi::xml_node& disk : document.child("domain").child("devices").children("disk")) {
        const pugi::xml_node source = disk.child("source");
        const std::string device = source.attribute("dev").as_string();
        disks.push_back({domain, running, disk.child("target").attribute("dev").as_string(),
                         device.empty() ? source.attribute("file").as_string() : device,
                         source.attribute("pool").as_string(),
                         source.attribute("volume").as_string()});
    }
}

} // namespace

LibvirtConnection::LibvirtConnection(const std::string& uri)
    : connection_(open_libvirt(uri, "start libvirt's daemon (systemctl start libvirtd), or work "
                                    "without it where the command has --no-libvirt"))
{
}

LibvirtConnection::Handle<virStoragePool> LibvirtConnection::pool(const std::string& name) const
{
    Handle<virStoragePool> pool(
        libvirt().virStoragePoolLookupByName(connection_.get(), name.c_str()),
        libvirt().virStoragePoolFree);
    if (!pool)
        fail_libvirt(fmt::format("find storage pool '{}'", name));
    return pool;
}

std::optional<LibvirtPool> LibvirtConnection::find_pool(const std::string& name) const
{
    const Handle<virStoragePool> pool(
        libvirt().virStoragePoolLookupByName(connection_.get(), name.c_str()),
        libvirt().virStoragePoolFree);
    if (!pool) {
        const virError* error = libvirt().virGetLastError();
        if (error && error->code == VIR_ERR_NO_STORAGE_POOL)
            return std::nullopt;
        fail_libvirt(fmt::format("find storage pool '{}'", name));
    }
    LibvirtPool found;
    Uuid::Bytes bytes{};
    check(libvirt().virStoragePoolGetUUID(pool.get(), bytes.data()), "get a pool's UUID");
    found.uuid = Uuid(bytes);
    found.active = libvirt().virStoragePoolIsActive(pool.get()) == 1;
    int autostart = 0;
    check(libvirt().virStoragePoolGetAutostart(pool.get(), &autostart), "get a pool's autostart");
    found.autostart = autostart != 0;
    return found;
}

std::set<std::string> LibvirtConnection::pool_types() const
{
    const std::unique_ptr<char, decltype(&std::free)> xml(
        libvirt().virConnectGetStoragePoolCapabilities(connection_.get(), 0), std::free);
    if (!xml)
        fail_libvirt("ask which storage pools there can be");
    pugi::xml_document document;
    document.load_string(xml.get());
    std::set<std::string> types;
    for (const pugi::xml_node& pool : document.child("storagepoolCapabilities").children("pool")) {
        if (pool.attribute("supported").as_string() == std::string_view("yes"))
            types.insert(pool.attribute("type").as_string());
    }
    return types;
}

void LibvirtConnection::define_pool(const std::string& xml) const
{
    const Handle<virStoragePool> pool(
        libvirt().virStoragePoolDefineXML(connection_.get(), xml.c_str(), 0),
        libvirt().virStoragePoolFree);
    if (!pool)
        fail_libvirt("define the storage pool");
}

void LibvirtConnection::start_pool(const std::string& name) const
{
    const Handle<virStoragePool> found = pool(name);
    check(libvirt().virStoragePoolCreate(found.get(), 0),
          fmt::format("start storage pool '{}'", name));
}

void LibvirtConnection::stop_pool(const std::string& name) const
{
    const Handle<virStoragePool> found = pool(name);
    check(libvirt().virStoragePoolDestroy(found.get()),
          fmt::format("stop storage pool '{}'", name));
}

void LibvirtConnection::undefine_pool(const std::string& name) const
{
    const Handle<virStoragePool> found = pool(name);
    check(libvirt().virStoragePoolUndefine(found.get()),
          fmt::format("undefine storage pool '{}'", name));
}

void LibvirtConnection::set_autostart(const std::string& name, bool on) const
{
    const Handle<virStoragePool> found = pool(name);
    check(libvirt().virStoragePoolSetAutostart(found.get(), on ? 1 : 0),
          fmt::format("set autostart of storage pool '{}'", name));
}

void LibvirtConnection::refresh_pool(const std::string& name) const
{
    const Handle<virStoragePool> found = pool(name);
    check(libvirt().virStoragePoolRefresh(found.get(), 0),
          fmt::format("refresh storage pool '{}'", name));
}

std::vector<LibvirtVolume> LibvirtConnection::volumes(const std::string& name) const
{
    // Freeing a handle resets libvirt's last error: it lives until that has been read.
    const Handle<virStoragePool> of = pool(name);
    virStorageVolPtr* list = nullptr;
    const int count = libvirt().virStoragePoolListAllVolumes(of.get(), &list, 0);
    if (count < 0)
        fail_libvirt(fmt::format("list the volumes of '{}'", name));
    // Taken into owners first: describing one of them may throw.
    std::vector<Handle<virStorageVol>> handles;
    for (int i = 0; i < count; ++i)
        handles.emplace_back(list[i], libvirt().virStorageVolFree); // NOLINT(*-pointer-arithmetic)
    std::free(list);                                                // NOLINT(*-no-malloc)
    std::vector<LibvirtVolume> volumes;
    for (const auto& handle : handles)
        volumes.push_back(describe(handle.get()));
    return volumes;
}

LibvirtVolume LibvirtConnection::create_volume(const std::string& name,
                                               const std::string& xml) const
{
    const Handle<virStoragePool> in = pool(name);
    const Handle<virStorageVol> volume(libvirt().virStorageVolCreateXML(in.get(), xml.c_str(), 0),
                                       libvirt().virStorageVolFree);
    if (!volume)
        fail_libvirt(fmt::format("make a volume in '{}'", name));
    return describe(volume.get());
}

LibvirtConnection::Handle<virStorageVol> LibvirtConnection::volume(const std::string& name,
                                                                   const std::string& volume) const
{
    const Handle<virStoragePool> in = pool(name);
    Handle<virStorageVol> found(libvirt().virStorageVolLookupByName(in.get(), volume.c_str()),
                                libvirt().virStorageVolFree);
    if (!found)
        fail_libvirt(fmt::format("find volume '{}' in '{}'", volume, name));
    return found;
}

void LibvirtConnection::delete_volume(const std::string& name, const std::string& of) const
{
    const Handle<virStorageVol> found = volume(name, of);
    check(libvirt().virStorageVolDelete(found.get(), 0), fmt::format("delete volume '{}'", of));
}

void LibvirtConnection::grow_volume(const std::string& name, const std::string& of,
                                    std::uint64_t bytes) const
{
    const Handle<virStorageVol> found = volume(name, of);
    check(libvirt().virStorageVolResize(found.get(), bytes, 0),
          fmt::format("make '{}' larger", of));
}

std::vector<Uuid> LibvirtConnection::running_domains() const
{
    return list_running_domains(connection_);
}

std::vector<LibvirtDisk> LibvirtConnection::disks() const
{
    std::vector<LibvirtDisk> disks;
    for (const DomainHandle& domain : list_domains(connection_, 0)) {
        const std::unique_ptr<char, decltype(&std::free)> xml(
            libvirt().virDomainGetXMLDesc(domain.get(), 0), std::free);
        if (!xml) // undefined, or ended, meanwhile
            continue;
        add_disks(disks, libvirt().virDomainGetName(domain.get()),
                  libvirt().virDomainIsActive(domain.get()) == 1, xml.get());
    }
    return disks;
}

void LibvirtConnection::tell_size(const std::string& name, const std::string& target,
                                  std::uint64_t bytes) const
{
    const DomainHandle domain(libvirt().virDomainLookupByName(connection_.get(), name.c_str()),
                              libvirt().virDomainFree);
    if (!domain)
        fail_libvirt(fmt::format("find domain '{}'", name));
    check(libvirt().virDomainBlockResize(domain.get(), target.c_str(), bytes,
                                         VIR_DOMAIN_BLOCK_RESIZE_BYTES),
          fmt::format("tell domain '{}' the size of '{}'", name, target));
}

} // namespace zraid
