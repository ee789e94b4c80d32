// Called by udev (63-zraid.rules) for each array of zraid's, and for each logical volume of a group
// that is named like a pool: which pool is it of? The answer are properties for the rules.
//   zraid-udev-name NAME-IN-SUPERBLOCK UUID-OF-ARRAY
//   zraid-udev-name --volume KERNEL-NAME GROUP

#include "layout/layout.h"
#include "pools/stable_name.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/fd.h"

#include <iostream>
#include <span>

namespace {

std::optional<zraid::PoolDefinition> find_pool(const std::span<char*> arguments)
{
    using namespace zraid;
    const Paths paths = Paths::system();
    if (arguments.size() == 3)
        return pool_of_array(paths, arguments[1], Uuid::parse(arguments[2]));
    PoolDefinition pool = PoolStore(paths).load(arguments[3]);
    if (!layout_of(paths, pool)->is_volume(arguments[2]))
        return std::nullopt;
    return pool;
}

} // namespace

int main(int argc, char** argv)
{
    using namespace zraid;
    open_standard_fds();
    const std::span arguments(argv, static_cast<std::size_t>(argc));
    const bool is_volume = arguments.size() == 4 && arguments[1] == std::string_view("--volume");
    if (arguments.size() != 3 && !is_volume) {
        std::cerr << "usage: zraid-udev-name NAME-IN-SUPERBLOCK UUID-OF-ARRAY\n"
                     "       zraid-udev-name --volume KERNEL-NAME GROUP\n";
        return 2;
    }
    try {
        const auto pool = find_pool(arguments);
        if (!pool)
            return 1; // udev goes on without a link
        std::cout << "ZRAID_POOL=" << pool->name << "\nZRAID_TYPE=" << to_string(pool->type)
                  << '\n';
        return std::cout.flush() ? 0 : 1;
    } catch (const std::exception& e) {
        std::cerr << "zraid-udev-name: " << explain(e) << '\n';
        return 1;
    }
}
