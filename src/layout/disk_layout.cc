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
    DiskLayout(const PoolDefinition& pool, int lock_fd) : pool_(pool), lock_fd_(lock_fd) {}

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
    void bring_up() const override {}
    void take_down() const override {}
    void refuse_use() const override {} // md refuses to stop an array that is in use
    void grow() const override
    {
        // Another table is the guest's own, who has the whole array.
        if (read_partition_table(pool_.md_device()) == PartitionTable::gpt)
            use_whole_device(pool_.md_device(), lock_fd_);
    }
    void extend(const std::string& volume) const override
    {
        const int number = partition_number(pool_, volume);
        extend_partition(pool_.md_device(), number, lock_fd_);
        tell_partition_size(pool_.md_device(), number, lock_fd_);
    }

private:
    PoolDefinition pool_;
    int lock_fd_;
};

} // namespace

std::unique_ptr<Layout> disk_layout(const Paths& /*paths*/, const PoolDefinition& pool, int lock_fd)
{
    return std::make_unique<DiskLayout>(pool, lock_fd);
}

} // namespace zraid
