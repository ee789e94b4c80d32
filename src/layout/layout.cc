#include "layout/layout.h"

#include "layout/layouts.h"

namespace zraid {

std::optional<std::string> Layout::volume_in_path(const std::string& /*path*/) const
{
    return std::nullopt;
}

void Layout::make_volume_link(const std::string& /*path*/) const {}

bool Layout::is_volume(const std::string& /*device*/) const
{
    return false;
}

std::string Layout::new_volume_name(const std::string& wanted,
                                    const std::set<std::string>& /*taken*/) const
{
    return wanted;
}

bool Layout::delete_volume(const std::string& /*volume*/) const
{
    return false;
}

std::string Layout::format_of_volume(const std::string& /*volume*/) const
{
    return "raw";
}

std::unique_ptr<Layout> layout_of(const Paths& paths, const PoolDefinition& pool, int lock_fd)
{
    switch (pool.type) {
    case PoolType::logical:
        return logical_layout(paths, pool);
    case PoolType::fs:
        return fs_layout(paths, pool, lock_fd);
    case PoolType::whole:
        return whole_layout(paths, pool);
    case PoolType::disk:
        break;
    }
    return disk_layout(paths, pool, lock_fd);
}

LayoutTraits layout_traits(PoolType type)
{
    PoolDefinition pool;
    pool.type = type;
    return layout_of(Paths(), pool)->traits();
}

} // namespace zraid
