#include "devices/block_tree.h"
#include "devices/partitions.h"
#include "devices/volume_group.h"
#include "layout/layouts.h"
#include "layout/names.h"
#include "pools/stable_name.h"
#include "util/error.h"
#include "util/files.h"
#include "util/process.h"
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

    LayoutTraits traits() const override
    {
        LayoutTraits traits;
        traits.what = "volume group";
        traits.needs_lvm_of_host = true;
        return traits;
    }
    LayoutState state() const override
    {
        if (passage_.is_open())
            return LayoutState::partly;
        return active().empty() ? LayoutState::idle : LayoutState::up;
    }
    void refuse_taken() const override
    {
        const std::string advice = "define the pool under another name";
        if (pool_.name == "zraid")
            throw Error("a volume group 'zraid' would be in the way of zraid's own /dev/zraid",
                        advice);
        const auto devices = devices_of_volume_group(pool_.name);
        if (!devices.empty())
            throw Error(fmt::format("there is a volume group '{}' already, on {}", pool_.name,
                                    fmt::join(devices, ", ")),
                        advice);
        if (fs::exists(fs::symlink_status(paths_.device(pool_.name))))
            throw Error(fmt::format("'{}' is there already, where the volumes would be",
                                    paths_.device(pool_.name).string()),
                        advice);
    }
    void check_programs() const override { run({{"vgs", "--version"}}); }
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

    std::string volume_path(const std::string& volume) const override
    {
        return paths_.device(pool_.name) / volume;
    }
    void check_volume_name(const std::string& volume) const override
    {
        check_file_name(pool_, volume);
    }
    bool has_volume(const std::string& volume) const override
    {
        return fs::exists(volume_path(volume));
    }
    /// Knows /dev/POOL/VOLUME, /dev/mapper/POOL-VOLUME and /dev/zraid/POOL/VOLUME.
    std::optional<std::string> volume_in_path(const std::string& path) const override
    {
        const fs::path normal = fs::path(path).lexically_normal();
        const std::string name = normal.filename();
        if (normal.parent_path() == paths_.device(pool_.name) && !name.empty())
            return name;
        if (normal.parent_path() == paths_.device("mapper"))
            return volume_in_mapper_name(pool_.name, name);
        if (normal.parent_path() == paths_.device("zraid") / pool_.name && !name.empty())
            return name;
        return std::nullopt;
    }
    void make_volume_link(const std::string& path) const override
    {
        const fs::path link = fs::path(path).lexically_normal();
        if (link.parent_path() != paths_.device("zraid") / pool_.name)
            return;
        const auto volume = volume_in_path(path);
        if (!volume)
            return;
        std::error_code code;
        const fs::path device = fs::canonical(paths_.device(pool_.name) / *volume, code);
        if (code) { // there is no such volume: QEMU will say so, and find no other by that name
            fs::remove(link, code);
            return;
        }
        make_stable_link(link, device.filename());
    }
    bool is_volume(const std::string& device) const override
    {
        const auto name = read_attribute(paths_.block(device) / "dm/name");
        return name && volume_in_mapper_name(pool_.name, *name) &&
               arrays_below(paths_, paths_.device(device)).contains(pool_.md_number);
    }
    void check_new_volume_name(const std::string& volume) const override
    {
        check_chosen_name(volume);
    }
    void extend(const std::string& volume) const override { group_.extend(volume); }
    std::string openers_of_volume(const std::string& volume) const override
    {
        return openers_of_device_at(paths_, volume_path(volume));
    }
    std::string by_hand() const override
    {
        return fmt::format("make and delete volumes of {} with lvcreate and lvremove", pool_.name);
    }

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

} // namespace zraid
