#include "devices/partitions.h"
#include "devices/volume_group.h"
#include "layout/layouts.h"
#include "util/error.h"
#include "util/files.h"
#include "util/wait.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zraid {

namespace {

namespace fs = std::filesystem;

/// Time for those who only look at a volume, such as udev, to be through with it.
constexpr Milliseconds kVolumesClose{2000};

/// Says that volumes are being made active or inactive. Only LVM knows how many there are, and the
/// kernel shows those that are active: without this note, a call that was killed half way would
/// look like one that came to its end.
class Passage
{
public:
    Passage(const Paths& paths, const std::string& pool) : file_(paths.run / "layouts" / pool) {}

    bool is_open() const { return fs::exists(file_); }
    void open() const
    {
        make_folder(file_.parent_path(), 0700);
        save_atomically(file_, "", 0600);
    }
    void close() const { remove_durably(file_); }

private:
    fs::path file_;
};

/// A volume group on the array, named like the pool.
class LogicalLayout : public Layout
{
public:
    LogicalLayout(const Paths& paths, const PoolDefinition& pool)
        : paths_(paths), pool_(pool), group_(pool.md_device(), pool.name),
          passage_(paths, pool.name)
    {
    }

    LayoutState state() const override
    {
        if (passage_.is_open())
            return LayoutState::partly;
        return active().empty() ? LayoutState::idle : LayoutState::up;
    }
    void make() const override
    {
        const auto found = group_.found();
        if (found == pool_.name)
            return;
        if (found && !found->empty())
            throw Error(fmt::format("'{}' holds the volume group '{}'", pool_.md_device(), *found),
                        "define the pool under that name, or give another image");
        if (!found && read_partition_table(pool_.md_device()) != PartitionTable::none)
            throw Error(
                fmt::format("'{}' holds something that is no volume group", pool_.md_device()),
                "look at it with blkid; nothing was changed");
        group_.make();
    }
    void refuse_hidden() const override
    {
        if (devices_of_volume_group(pool_.name).empty())
            throw Error(fmt::format("the host's LVM does not see '{}', so libvirt cannot use it",
                                    pool_.md_device()),
                        hidden_group_advice(pool_.md_device()));
    }
    void bring_up() const override
    {
        if (state() == LayoutState::up)
            return;
        passage_.open();
        group_.activate();
        passage_.close();
    }
    void take_down() const override
    {
        refuse_use();
        if (passage_.is_open() || !active().empty()) {
            passage_.open();
            group_.deactivate();
        }
        passage_.close();
    }
    void refuse_use() const override
    {
        if (active().empty())
            return;
        std::vector<std::string> open;
        wait_until(kVolumesClose, [&] { return (open = group_.open_volumes()).empty(); });
        if (!open.empty())
            throw Error(fmt::format("volume {} is in use", fmt::join(open, ", ")),
                        fmt::format("see who has it (lsblk, fuser -v /dev/{}/{}), and shut it down",
                                    pool_.name, open.front()));
    }
    void grow() const override { group_.grow(); }
    void extend(const std::string& volume) const override { group_.extend(volume); }

private:
    std::set<std::string> active() const
    {
        return active_volumes(paths_, pool_.md_kernel_name(), pool_.name);
    }

    Paths paths_;
    PoolDefinition pool_;
    VolumeGroup group_;
    Passage passage_;
};

} // namespace

std::unique_ptr<Layout> logical_layout(const Paths& paths, const PoolDefinition& pool)
{
    return std::make_unique<LogicalLayout>(paths, pool);
}

void refuse_taken_group(const Paths& paths, const PoolDefinition& pool)
{
    const std::string advice = "define the pool under another name";
    if (pool.name == "zraid")
        throw Error("a volume group 'zraid' would be in the way of zraid's own /dev/zraid", advice);
    const auto devices = devices_of_volume_group(pool.name);
    if (!devices.empty())
        throw Error(fmt::format("there is a volume group '{}' already, on {}", pool.name,
                                fmt::join(devices, ", ")),
                    advice);
    if (fs::exists(fs::symlink_status(paths.device(pool.name))))
        throw Error(fmt::format("'{}' is there already, where the volumes would be",
                                paths.device(pool.name).string()),
                    advice);
}

} // namespace zraid
