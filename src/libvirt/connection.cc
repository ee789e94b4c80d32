#include "libvirt/connection.h"

#include "util/error.h"

#include <array>
#include <cstdlib>

#include <fmt/format.h>
#include <libvirt/virterror.h>

namespace zraid {

namespace {

void keep_quiet(void* /*context*/, virErrorPtr /*error*/) {}

[[noreturn]] void fail(const std::string& what, std::string next = {})
{
    const virError* error = virGetLastError();
    throw Error(
        fmt::format("libvirt: {}: {}", what, error && error->message ? error->message : "?"),
        std::move(next));
}

void check(int result, const std::string& what)
{
    if (result < 0)
        fail(what);
}

template <typename T>
Uuid uuid_of(T* object, int (*get)(T*, unsigned char*))
{
    Uuid::Bytes bytes{};
    check(get(object, bytes.data()), "get a UUID");
    return Uuid(bytes);
}

LibvirtVolume describe(virStorageVolPtr volume)
{
    virStorageVolInfo info{};
    check(virStorageVolGetInfo(volume, &info), "get a volume's size");
    const std::unique_ptr<char, decltype(&std::free)> path(virStorageVolGetPath(volume), std::free);
    if (!path)
        fail("get a volume's path");
    return {virStorageVolGetName(volume), path.get(), info.capacity};
}

} // namespace

LibvirtConnection::LibvirtConnection(const std::string& uri) : connection_(nullptr, virConnectClose)
{
    // By default libvirt prints every error on stderr, also those that we expect.
    virSetErrorFunc(nullptr, keep_quiet);
    connection_.reset(virConnectOpen(uri.c_str()));
    if (!connection_)
        fail(fmt::format("connect to {}", uri),
             "start libvirt's daemon (systemctl start libvirtd), or work without it where the "
             "command has --no-libvirt");
}

LibvirtConnection::Handle<virStoragePool> LibvirtConnection::pool(const std::string& name) const
{
    Handle<virStoragePool> pool(virStoragePoolLookupByName(connection_.get(), name.c_str()),
                                virStoragePoolFree);
    if (!pool)
        fail(fmt::format("find storage pool '{}'", name));
    return pool;
}

std::optional<LibvirtPool> LibvirtConnection::find_pool(const std::string& name) const
{
    const Handle<virStoragePool> pool(virStoragePoolLookupByName(connection_.get(), name.c_str()),
                                      virStoragePoolFree);
    if (!pool) {
        const virError* error = virGetLastError();
        if (error && error->code == VIR_ERR_NO_STORAGE_POOL)
            return std::nullopt;
        fail(fmt::format("find storage pool '{}'", name));
    }
    LibvirtPool found;
    found.uuid = uuid_of<virStoragePool>(pool.get(), virStoragePoolGetUUID);
    found.active = virStoragePoolIsActive(pool.get()) == 1;
    int autostart = 0;
    check(virStoragePoolGetAutostart(pool.get(), &autostart), "get a pool's autostart");
    found.autostart = autostart != 0;
    return found;
}

void LibvirtConnection::define_pool(const std::string& xml) const
{
    const Handle<virStoragePool> pool(virStoragePoolDefineXML(connection_.get(), xml.c_str(), 0),
                                      virStoragePoolFree);
    if (!pool)
        fail("define the storage pool");
}

void LibvirtConnection::start_pool(const std::string& name) const
{
    const Handle<virStoragePool> found = pool(name);
    check(virStoragePoolCreate(found.get(), 0), fmt::format("start storage pool '{}'", name));
}

void LibvirtConnection::stop_pool(const std::string& name) const
{
    const Handle<virStoragePool> found = pool(name);
    check(virStoragePoolDestroy(found.get()), fmt::format("stop storage pool '{}'", name));
}

void LibvirtConnection::undefine_pool(const std::string& name) const
{
    const Handle<virStoragePool> found = pool(name);
    check(virStoragePoolUndefine(found.get()), fmt::format("undefine storage pool '{}'", name));
}

void LibvirtConnection::set_autostart(const std::string& name, bool on) const
{
    const Handle<virStoragePool> found = pool(name);
    check(virStoragePoolSetAutostart(found.get(), on ? 1 : 0),
          fmt::format("set autostart of storage pool '{}'", name));
}

void LibvirtConnection::refresh_pool(const std::string& name) const
{
    const Handle<virStoragePool> found = pool(name);
    check(virStoragePoolRefresh(found.get(), 0), fmt::format("refresh storage pool '{}'", name));
}

std::vector<LibvirtVolume> LibvirtConnection::volumes(const std::string& name) const
{
    // Freeing a handle resets libvirt's last error: it lives until that has been read.
    const Handle<virStoragePool> of = pool(name);
    virStorageVolPtr* list = nullptr;
    const int count = virStoragePoolListAllVolumes(of.get(), &list, 0);
    if (count < 0)
        fail(fmt::format("list the volumes of '{}'", name));
    // Taken into owners first: describing one of them may throw.
    std::vector<Handle<virStorageVol>> handles;
    for (int i = 0; i < count; ++i)
        handles.emplace_back(list[i], virStorageVolFree); // NOLINT(*-pointer-arithmetic)
    std::free(list);                                      // NOLINT(*-no-malloc)
    std::vector<LibvirtVolume> volumes;
    for (const auto& handle : handles)
        volumes.push_back(describe(handle.get()));
    return volumes;
}

LibvirtVolume LibvirtConnection::create_volume(const std::string& name,
                                               const std::string& xml) const
{
    const Handle<virStoragePool> in = pool(name);
    const Handle<virStorageVol> volume(virStorageVolCreateXML(in.get(), xml.c_str(), 0),
                                       virStorageVolFree);
    if (!volume)
        fail(fmt::format("make a volume in '{}'", name));
    return describe(volume.get());
}

std::vector<Uuid> LibvirtConnection::running_domains() const
{
    virDomainPtr* list = nullptr;
    const int count =
        virConnectListAllDomains(connection_.get(), &list, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
    if (count < 0)
        fail("list the running domains");
    std::vector<Handle<virDomain>> handles;
    for (int i = 0; i < count; ++i)
        handles.emplace_back(list[i], virDomainFree); // NOLINT(*-pointer-arithmetic)
    std::free(list);                                  // NOLINT(*-no-malloc)
    std::vector<Uuid> uuids;
    for (const auto& handle : handles)
        uuids.push_back(uuid_of<virDomain>(handle.get(), virDomainGetUUID));
    return uuids;
}

} // namespace zraid
