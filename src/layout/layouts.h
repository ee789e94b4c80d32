#pragma once

#include "layout/layout.h"

namespace zraid {

/// For a pool whose array a domain has: what is in it is the guest's.
std::unique_ptr<Layout> whole_layout(const Paths& paths, const PoolDefinition& pool);
std::unique_ptr<Layout> disk_layout(const Paths& paths, const PoolDefinition& pool, int lock_fd);
std::unique_ptr<Layout> logical_layout(const Paths& paths, const PoolDefinition& pool);
std::unique_ptr<Layout> fs_layout(const Paths& paths, const PoolDefinition& pool, int lock_fd);

} // namespace zraid
