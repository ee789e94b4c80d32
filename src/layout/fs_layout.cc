#include "devices/file_system.h"
#include "devices/mounts.h"
#include "devices/openers.h"
#include "layout/layouts.h"
#include "layout/names.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/files.h"
#include "util/log.h"
#include "util/process.h"
#include "util/size.h"
#include "util/wait.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

namespace zraid {

namespace {

namespace fs = std::filesystem;

/// Time for those who only look, such as udev, to be through with it.
constexpr Milliseconds kDeviceCloses{1000};

/// Smallest image that has room for an XFS, bytes.
constexpr std::uint64_t kMinImage = kMinXfs + 2 * MiB;

/// "raw" or "qcow2": what the file begins with.
std::string format_of_file(const std::string& path)
{
    const UniqueFd fd = open_file(path, O_RDONLY);
    constexpr std::string_view qcow2("QFI\xfb", 4);
    std::array<char, qcow2.size()> begin{};
    if (::pread(fd.get(), begin.data(), begin.size(), 0) < 0)
        throw SystemError(errno, "read '" + path + "'");
    return std::string_view(begin.data(), begin.size()) == qcow2 ? "qcow2" : "raw";
}

void refuse_taken_target(const fs::path& target)
{
    if (!fs::exists(fs::symlink_status(target)))
        return;
    if (!fs::is_directory(target))
        throw Error(fmt::format("'{}' is there, and is no folder", target.string()),
                    "give another --target");
    if (!fs::is_empty(target))
        throw Error(fmt::format("the folder '{}' is not empty", target.string()),
                    "move what is in it elsewhere, or give another --target");
}

/// An XFS on the array, mounted at the pool's target.
class FsLayout : public Layout
{
public:
    FsLayout(const Paths& paths, const PoolDefinition& pool, int lock_fd)
        : paths_(paths), pool_(pool), array_(pool.md_kernel_name()), lock_fd_(lock_fd)
    {
    }

    LayoutTraits traits() const override
    {
        LayoutTraits traits;
        traits.what = "file system";
        traits.has_files = true;
        traits.fills_image = true;
        return traits;
    }
    LayoutState state() const override
    {
        const auto points = mount_points_of(paths_, array_);
        return std::find(points.begin(), points.end(), pool_.target) != points.end()
                   ? LayoutState::up
                   : LayoutState::down;
    }
    void refuse_taken() const override
    {
        if (pool_.size < kMinImage)
            throw UsageError(
                fmt::format("{} is too small for a pool of type fs", format_size(pool_.size)),
                fmt::format("give at least {}: mkfs.xfs makes nothing smaller",
                            format_size(kMinImage)));
        refuse_taken_target(pool_.target);
    }
    void check_programs() const override { run({{"mkfs.xfs", "-V"}}); }
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

    std::string volume_path(const std::string& volume) const override
    {
        return fs::path(pool_.target) / volume;
    }
    void check_volume_name(const std::string& volume) const override
    {
        check_file_name(pool_, volume);
    }
    bool has_volume(const std::string& volume) const override
    {
        return fs::exists(volume_path(volume));
    }
    std::optional<std::string> volume_in_path(const std::string& path) const override
    {
        const std::string normal = fs::path(path).lexically_normal();
        const std::string below = pool_.target + '/';
        if (!normal.starts_with(below))
            return std::nullopt;
        return normal.substr(below.size());
    }
    void check_new_volume_name(const std::string& volume) const override
    {
        check_chosen_name(volume);
    }
    void extend(const std::string& /*volume*/) const override {}
    std::string openers_of_volume(const std::string& volume) const override
    {
        return openers_of_file(paths_, volume_path(volume));
    }
    std::string format_of_volume(const std::string& volume) const override
    {
        if (state() != LayoutState::up)
            throw Error("its file system is not mounted",
                        fmt::format("zraid-pool start {}", pool_.name));
        return format_of_file(volume_path(volume));
    }
    std::string by_hand() const override
    {
        return fmt::format("make and delete files in '{}' with qemu-img and rm", pool_.target);
    }

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

} // namespace zraid
