#include "layout/layouts.h"

namespace zraid {

namespace {

class NoLayout : public Layout
{
public:
    LayoutState state() const override { return LayoutState::none; }
    void make() const override {}
    void bring_up() const override {}
    void take_down() const override {}
    void refuse_use() const override {} // md refuses to stop an array that is in use
    void grow() const override {}
    void extend(const std::string& /*volume*/) const override {}
};

} // namespace

std::unique_ptr<Layout> no_layout()
{
    return std::make_unique<NoLayout>();
}

} // namespace zraid
