#include "layout/layout.h"

#include "layout/layouts.h"

namespace zraid {

std::unique_ptr<Layout> layout_of(const Paths& paths, const PoolDefinition& pool, int lock_fd)
{
    switch (pool.type) {
    case PoolType::logical:
        return logical_layout(paths, pool);
    case PoolType::fs:
        return fs_layout(paths, pool, lock_fd);
    case PoolType::whole:
        return no_layout();
    case PoolType::disk:
        break;
    }
    return disk_layout(paths, pool, lock_fd);
}

void refuse_taken_layout(const Paths& paths, const PoolDefinition& pool)
{
    if (pool.type == PoolType::logical)
        refuse_taken_group(paths, pool);
    if (pool.type == PoolType::fs)
        refuse_taken_target(pool);
}

} // namespace zraid
