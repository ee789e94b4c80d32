#include "mirror/hold.h"

#include "mirror/claims.h"
#include "util/files.h"

namespace zraid {

namespace {

constexpr const char* kAttached = "attached\n";
constexpr const char* kDetached = "detached\n";

std::filesystem::path hold_file(const Paths& paths, const std::string& pool)
{
    return paths.run / "holds" / pool;
}

} // namespace

Hold hold_of(const Paths& paths, const std::string& pool)
{
    const auto text = read_if_there(hold_file(paths, pool));
    return text == kAttached ? Hold::attached : text == kDetached ? Hold::detached : Hold::none;
}

void set_hold(const Paths& paths, const std::string& pool, Hold hold)
{
    const auto path = hold_file(paths, pool);
    if (hold == Hold::none) {
        remove_durably(path);
        return;
    }
    make_folder(path.parent_path(), 0700);
    save_atomically(path, hold == Hold::attached ? kAttached : kDetached, 0600);
}

bool wants_ram(const Paths& paths, const PoolDefinition& pool)
{
    switch (hold_of(paths, pool.name)) {
    case Hold::attached:
        return true;
    case Hold::detached:
        return false;
    case Hold::none:
        break;
    }
    return pool.settings.attach == AttachPolicy::always || !Claims(paths, pool.name).list().empty();
}

} // namespace zraid
