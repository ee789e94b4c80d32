#include "devices/file_system.h"
#include "devices/mounts.h"
#include "devices/openers.h"
#include "layout/layouts.h"
#include "util/error.h"
#include "util/files.h"
#include "util/log.h"
#include "util/wait.h"

#include <algorithm>

#include <fmt/core.h>

namespace zraid {

namespace {

namespace fs = std::filesystem;

/// Time for those who only look, such as udev, to be through with it.
constexpr Milliseconds kDeviceCloses{1000};

/// An XFS on the array, mounted at the pool's target.
class FsLayout : public Layout
{
public:
    FsLayout(const Paths& paths, const PoolDefinition& pool, int lock_fd)
        : paths_(paths), pool_(pool), array_(pool.md_kernel_name()), lock_fd_(lock_fd)
    {
    }

    LayoutState state() const override
    {
        const auto points = mount_points_of(paths_, array_);
        return std::find(points.begin(), points.end(), pool_.target) != points.end()
                   ? LayoutState::up
                   : LayoutState::down;
    }
    void make() const override
    {
        const FileSystem found = read_file_system(pool_.md_device());
        if (found == FileSystem::other)
            throw Error(fmt::format("'{}' holds something that is no XFS", pool_.md_device()),
                        "look at it with blkid; nothing was changed");
        if (found != FileSystem::xfs)
            make_xfs(pool_.md_device(), pool_.uuid, lock_fd_);
    }
    void bring_up() const override
    {
        if (state() == LayoutState::up)
            return;
        make_folder(pool_.target, 0755);
        if (!fs::is_empty(pool_.target))
            log().warn("pool '{}': files in '{}' are hidden by its file system", pool_.name,
                       pool_.target);
        mount_xfs(pool_.md_device(), pool_.target, lock_fd_);
    }
    void take_down() const override
    {
        if (state() != LayoutState::up)
            return;
        try {
            unmount(pool_.target, lock_fd_);
        } catch (const std::exception&) {
            refuse_use(); // says it better
            throw;
        }
    }
    void refuse_use() const override
    {
        if (state() != LayoutState::up)
            return;
        const dev_t device = device_number(paths_, array_);
        std::string users;
        wait_until(kDeviceCloses,
                   [&] { return (users = openers_of_device(paths_, device)).empty(); });
        if (!users.empty())
            throw Error(fmt::format("'{}' is in use by {}", pool_.target, users),
                        "end these programs, or have them leave the folder, then try again");
    }
    void grow() const override { grow_xfs(pool_.target, lock_fd_); }
    void extend(const std::string& /*volume*/) const override {}

private:
    Paths paths_;
    PoolDefinition pool_;
    std::string array_;
    int lock_fd_;
};

} // namespace

std::unique_ptr<Layout> fs_layout(const Paths& paths, const PoolDefinition& pool, int lock_fd)
{
    return std::make_unique<FsLayout>(paths, pool, lock_fd);
}

void refuse_taken_target(const PoolDefinition& pool)
{
    const fs::path target = pool.target;
    if (!fs::exists(fs::symlink_status(target)))
        return;
    if (!fs::is_directory(target))
        throw Error(fmt::format("'{}' is there, and is no folder", pool.target),
                    "give another --target");
    if (!fs::is_empty(target))
        throw Error(fmt::format("the folder '{}' is not empty", pool.target),
                    "move what is in it elsewhere, or give another --target");
}

} // namespace zraid
