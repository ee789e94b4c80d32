#include "layout/layouts.h"
#include "layout/names.h"

#include <fmt/format.h>

namespace zraid {

namespace {

class WholeLayout : public Layout
{
public:
    WholeLayout(const Paths& paths, const PoolDefinition& pool) : paths_(paths), pool_(pool) {}

    LayoutTraits traits() const override
    {
        LayoutTraits traits;
        traits.what = "partition table";
        traits.has_volumes = false;
        traits.may_be_guests = true;
        return traits;
    }
    LayoutState state() const override { return LayoutState::none; }
    void make() const override {}
    bool is_made() const override { return false; }
    void bring_up() const override {}
    void take_down() const override {}
    void refuse_use() const override {} // md refuses to stop an array that is in use
    void grow() const override {}

    // What the guest calls its partitions, the kernel shows as those of the array.
    std::string volume_path(const std::string& volume) const override { return "/dev/" + volume; }
    void check_volume_name(const std::string& volume) const override
    {
        partition_number(pool_, volume);
    }
    bool has_volume(const std::string& volume) const override
    {
        return has_partition(paths_, pool_, volume);
    }
    void check_new_volume_name(const std::string& /*volume*/) const override {}
    void extend(const std::string& /*volume*/) const override {}
    std::string openers_of_volume(const std::string& volume) const override
    {
        return openers_of_device_at(paths_, volume_path(volume));
    }
    std::string by_hand() const override
    {
        return fmt::format("make and delete partitions of {} in the guest", pool_.md_device());
    }

private:
    Paths paths_;
    PoolDefinition pool_;
};

} // namespace

std::unique_ptr<Layout> whole_layout(const Paths& paths, const PoolDefinition& pool)
{
    return std::make_unique<WholeLayout>(paths, pool);
}

} // namespace zraid
