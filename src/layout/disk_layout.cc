#include "devices/partitions.h"
#include "layout/layouts.h"
#include "layout/names.h"
#include "util/error.h"

#include <fmt/core.h>

namespace zraid {

namespace {

/// A GPT. The kernel makes the volumes' devices by itself.
class DiskLayout : public Layout
{
public:
    DiskLayout(const Paths& paths, const PoolDefinition& pool, int lock_fd)
        : paths_(paths), pool_(pool), lock_fd_(lock_fd)
    {
    }

    LayoutTraits traits() const override
    {
        LayoutTraits traits;
        traits.what = "partition table";
        traits.may_be_guests = true;
        return traits;
    }
    LayoutState state() const override { return LayoutState::none; }
    void make() const override
    {
        const PartitionTable table = read_partition_table(pool_.md_device());
        if (table == PartitionTable::other)
            throw Error(fmt::format("'{}' holds something that is no GPT", pool_.md_device()),
                        "look at it with blkid; nothing was changed");
        if (table == PartitionTable::none)
            make_gpt(pool_.md_device(), lock_fd_);
    }
    bool is_made() const override
    {
        return read_partition_table(pool_.md_device()) == PartitionTable::gpt;
    }
    void bring_up() const override {}
    void take_down() const override {}
    void refuse_use() const override {} // md refuses to stop an array that is in use
    void grow() const override
    {
        // Another table is the guest's own, who has the whole array.
        if (is_made())
            use_whole_device(pool_.md_device(), lock_fd_);
    }

    std::string volume_path(const std::string& volume) const override { return "/dev/" + volume; }
    void check_volume_name(const std::string& volume) const override
    {
        partition_number(pool_, volume);
    }
    bool has_volume(const std::string& volume) const override
    {
        return has_partition(paths_, pool_, volume);
    }
    void check_new_volume_name(const std::string& volume) const override
    {
        if (!volume.empty())
            throw UsageError("volumes of a pool of type disk are partitions, which the kernel "
                             "names",
                             "leave out --name");
    }
    std::string new_volume_name(const std::string& /*wanted*/,
                                const std::set<std::string>& taken) const override
    {
        const std::string array = pool_.md_kernel_name();
        const std::set<int> known = kernel_partitions(paths_, array);
        for (int number = 1;; ++number) {
            const std::string name = fmt::format("{}p{}", array, number);
            if (!taken.contains(name) && !known.contains(number))
                return name;
        }
    }
    bool delete_volume(const std::string& volume) const override
    {
        const int number = partition_number(pool_, volume);
        if (!delete_partition(paths_, pool_.md_kernel_name(), number, lock_fd_))
            throw Error(fmt::format("there is no volume '{}'", volume),
                        fmt::format("zraid-pool vol-list {}", pool_.name));
        settle_udev();
        return true;
    }
    void extend(const std::string& volume) const override
    {
        const int number = partition_number(pool_, volume);
        extend_partition(pool_.md_device(), number, lock_fd_);
        tell_partition_size(pool_.md_device(), number, lock_fd_);
    }
    std::string openers_of_volume(const std::string& volume) const override
    {
        return openers_of_device_at(paths_, volume_path(volume));
    }
    std::string by_hand() const override
    {
        return fmt::format("make and delete partitions of {} with parted", pool_.md_device());
    }

private:
    Paths paths_;
    PoolDefinition pool_;
    int lock_fd_;
};

} // namespace

std::unique_ptr<Layout> disk_layout(const Paths& paths, const PoolDefinition& pool, int lock_fd)
{
    return std::make_unique<DiskLayout>(paths, pool, lock_fd);
}

} // namespace zraid
