#include "doctor/looks.h"
#include "util/error.h"
#include "util/files.h"
#include "util/process.h"

#include <array>

#include <fmt/core.h>

namespace zraid::doctor {

namespace {

namespace fs = std::filesystem;

struct Driver
{
    const char* module;
    const char* brings; ///< below /sys, once it works
    const char* purpose;
};

constexpr std::array kDrivers{
    Driver{"raid1", "module/raid1", "md's mirrors"},
    Driver{"zram", "class/zram-control", "RAM legs"},
    Driver{"loop", "class/misc/loop-control", "disk legs"},
};

/// Does the kernel that runs have the module, as a file or built in (modules.dep(5),
/// modules.builtin)?
bool has_module(const Paths& paths, const std::string& module)
{
    const std::string release = read_file(paths.proc / "sys/kernel/osrelease");
    const fs::path folder = paths.modules / release.substr(0, release.find('\n'));
    const std::string file = fmt::format("/{}.ko", module);
    for (const char* list : {"modules.builtin", "modules.dep"}) {
        const auto text = read_if_there(folder / list);
        if (text && text->find(file) != std::string::npos)
            return true;
    }
    return false;
}

Finding look_at_driver(const Paths& paths, const Driver& driver)
{
    if (fs::exists(paths.sys / driver.brings))
        return {Severity::good, "kernel",
                fmt::format("{} works ({})", driver.module, driver.purpose), ""};
    if (has_module(paths, driver.module))
        return {Severity::good, "kernel",
                fmt::format("{} is loaded when it is needed ({})", driver.module, driver.purpose),
                ""};
    return {Severity::error, "kernel",
            fmt::format("there is no {}: no {}", driver.module, driver.purpose),
            fmt::format("boot a kernel that has it (modinfo {}); after an update of the kernel "
                        "the running one's modules may be gone: reboot",
                        driver.module)};
}

/// @param version what to call it with so that it only tells that it is there
Finding look_at_program(const std::string& name, const std::string& package)
{
    try {
        run({.argv = {name, "--version"}, .timeout = Milliseconds{10'000}, .accepted = {0, 1}});
        return {Severity::good, "programs", name + " is there", ""};
    } catch (const std::exception& e) {
        return {Severity::error, "programs", explain(e), "install the package " + package};
    }
}

} // namespace

Findings look_at_kernel(const Paths& paths)
{
    Findings found;
    for (const Driver& driver : kDrivers)
        found.push_back(look_at_driver(paths, driver));
    return found;
}

Findings look_at_programs()
{
    return {look_at_program("mdadm", "mdadm"), look_at_program("parted", "parted"),
            look_at_program("sfdisk", "fdisk"), look_at_program("modprobe", "kmod"),
            look_at_program("udevadm", "udev")};
}

} // namespace zraid::doctor
