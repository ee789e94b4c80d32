#include "memory/budget.h"

#include "devices/zram.h"
#include "util/error.h"
#include "util/files.h"

#include <algorithm>
#include <sstream>

namespace zraid {

MemoryInfo read_memory(const Paths& paths)
{
    const std::filesystem::path file = paths.proc / "meminfo";
    std::istringstream lines(read_file(file));
    MemoryInfo memory;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        std::string name;
        std::uint64_t kib = 0;
        if (!(fields >> name >> kib))
            continue;
        if (name == "MemTotal:")
            memory.total = kib * 1024;
        else if (name == "MemAvailable:")
            memory.available = kib * 1024;
    }
    if (memory.total == 0 || memory.available == 0)
        throw Error("'" + file.string() + "' has no MemTotal or MemAvailable");
    return memory;
}

std::uint64_t worst_case(std::uint64_t size, std::uint64_t limit)
{
    const std::uint64_t data = limit == 0 || limit > size ? size : limit;
    return zram_table_bytes(size) + data;
}

std::uint64_t room_for_ram(const MemoryInfo& memory, const std::vector<RamUse>& attached,
                           const MemoryPolicy& policy)
{
    std::uint64_t room = memory.available / 100 * policy.percent;
    std::uint64_t below_limit = policy.limit.value_or(UINT64_MAX);
    for (const RamUse& use : attached) {
        const std::uint64_t promised = use.worst > use.taken ? use.worst - use.taken : 0;
        room -= std::min(room, promised);
        below_limit -= std::min(below_limit, std::max(use.worst, use.taken));
    }
    return policy.limit ? std::min(room, below_limit) : room;
}

} // namespace zraid
