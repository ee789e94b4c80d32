// systemd's generator (systemd.generator(7)): one unit for each pool that is to be there after a
// boot.
//   zraid-generator NORMAL-FOLDER EARLY-FOLDER LATE-FOLDER

#include "admin/boot_units.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/paths.h"

#include <iostream>
#include <span>

int main(int argc, char** argv)
{
    using namespace zraid;
    open_standard_fds();
    const std::span arguments(argv, static_cast<std::size_t>(argc));
    if (arguments.size() != 4) {
        std::cerr << "zraid-generator: systemd's three folders are missing\n";
        return 2;
    }
    try {
        bool complete = true;
        for (const std::string& problem :
             write_boot_units(Paths::system(), arguments[1], ZRAID_UNIT_DIR)) {
            std::cerr << "zraid-generator: " << problem << '\n';
            complete = false;
        }
        return complete ? 0 : 1;
    } catch (const std::exception& e) {
        std::cerr << "zraid-generator: " << explain(e) << '\n';
        return 1;
    }
}
