#include "devices/modules.h"

#include "util/error.h"
#include "util/process.h"

#include <fmt/core.h>

namespace zraid {

void load_module_unless(const std::string& module, const std::filesystem::path& sign,
                        const std::vector<std::string>& options)
{
    if (std::filesystem::exists(sign))
        return;
    Command modprobe{{"modprobe", "-q", module}};
    modprobe.argv.insert(modprobe.argv.end(), options.begin(), options.end());
    modprobe.accepted = {0, 1}; // what counts is the sign
    const CommandResult result = run(modprobe);
    if (!wait_until(Milliseconds{5000}, [&] { return std::filesystem::exists(sign); }))
        throw Error(fmt::format("load the kernel module '{}': '{}' did not appear {}", module,
                                sign.string(), result.err),
                    fmt::format("install a kernel that has '{}' (modinfo {})", module, module));
}

} // namespace zraid
