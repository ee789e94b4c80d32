#pragma once

#include "admin/admin.h"
#include "libvirt/connection.h"
#include "pools/definition.h"
#include "util/rollback.h"

namespace zraid {

/// @throws Error if libvirt has a pool of this name that is not this one
void refuse_foreign_pool(const LibvirtConnection& libvirt, const PoolDefinition& pool);

/// libvirt's storage pool is defined, running and marked for autostart as the definition says. Done
/// again, it does what is missing. On failure it takes away what it made.
void register_pool(const Admin& admin, const LibvirtConnection& libvirt,
                   const PoolDefinition& pool);

/// libvirt's storage pool does not run. @return whether it ran
bool deactivate_pool(const LibvirtConnection& libvirt, const PoolDefinition& pool);

/// The same, for a command with more to do: if that fails the storage pool is started again.
void deactivate_pool(const Admin& admin, const LibvirtConnection& libvirt,
                     const PoolDefinition& pool, Rollback& rollback);

/// libvirt does not know the pool any more.
void unregister_pool(const LibvirtConnection& libvirt, const PoolDefinition& pool);

} // namespace zraid
