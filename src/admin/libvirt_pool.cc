#include "admin/libvirt_pool.h"

#include "libvirt/templates.h"
#include "util/error.h"
#include "util/rollback.h"

#include <fmt/core.h>

namespace zraid {

namespace {

bool is_ours(const std::optional<LibvirtPool>& found, const PoolDefinition& pool)
{
    return found && found->uuid == pool.uuid;
}

std::string pool_xml(const Admin& admin, const PoolDefinition& pool)
{
    return fill_template(admin.paths, "pool-" + to_string(pool.type) + ".xml",
                         {{"NAME", pool.name},
                          {"UUID", pool.uuid.text()},
                          {"DEVICE", pool.md_device()},
                          {"TARGET", pool.target}});
}

} // namespace

void refuse_foreign_pool(const LibvirtConnection& libvirt, const PoolDefinition& pool)
{
    const auto found = libvirt.find_pool(pool.name);
    if (found && !is_ours(found, pool))
        throw Error(fmt::format("libvirt has another storage pool '{}' already", pool.name),
                    "choose another name, or --no-libvirt");
}

void register_pool(const Admin& admin, const LibvirtConnection& libvirt, const PoolDefinition& pool)
{
    refuse_foreign_pool(libvirt, pool);
    Rollback rollback;
    auto found = libvirt.find_pool(pool.name);
    if (!found) {
        libvirt.define_pool(pool_xml(admin, pool));
        rollback.add("undefine the storage pool", [&] { libvirt.undefine_pool(pool.name); });
        found = libvirt.find_pool(pool.name);
        if (!is_ours(found, pool))
            throw Error("the pool template changes the pool's name or UUID",
                        "keep @NAME@ and @UUID@ in it");
    }
    if (!found->active) {
        libvirt.start_pool(pool.name);
        rollback.add("stop the storage pool", [&] { libvirt.stop_pool(pool.name); });
    }
    if (found->autostart != pool.settings.autostart)
        libvirt.set_autostart(pool.name, pool.settings.autostart);
    rollback.keep();
}

bool deactivate_pool(const LibvirtConnection& libvirt, const PoolDefinition& pool)
{
    const auto found = libvirt.find_pool(pool.name);
    if (!is_ours(found, pool) || !found->active)
        return false;
    libvirt.stop_pool(pool.name);
    return true;
}

void deactivate_pool(const Admin& admin, const LibvirtConnection& libvirt,
                     const PoolDefinition& pool, Rollback& rollback)
{
    if (deactivate_pool(libvirt, pool))
        rollback.add("start the storage pool again", [uri = admin.uri, name = pool.name] {
            LibvirtConnection(uri).start_pool(name);
        });
}

void unregister_pool(const LibvirtConnection& libvirt, const PoolDefinition& pool)
{
    deactivate_pool(libvirt, pool);
    if (is_ours(libvirt.find_pool(pool.name), pool))
        libvirt.undefine_pool(pool.name);
}

} // namespace zraid
