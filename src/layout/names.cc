#include "layout/names.h"

#include "devices/openers.h"
#include "devices/partitions.h"
#include "util/error.h"
#include "util/text.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include <fmt/core.h>

namespace zraid {

void check_chosen_name(const std::string& volume)
{
    const auto allowed = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' ||
               c == '-' || c == '+';
    };
    if (volume.empty() || volume.size() > 100 || volume.front() == '.' || volume.front() == '-' ||
        !std::all_of(volume.begin(), volume.end(), allowed))
        throw UsageError(fmt::format("'{}' is no name for a volume", volume),
                         "use up to 100 letters, digits, '.', '_', '-' and '+', the first none of "
                         "'.' and '-'");
}

void check_file_name(const PoolDefinition& pool, const std::string& volume)
{
    if (volume.empty() || volume == "." || volume == ".." || volume.find('/') != std::string::npos)
        throw Error(fmt::format("there is no volume '{}'", volume),
                    fmt::format("zraid-pool vol-list {}", pool.name));
}

int partition_number(const PoolDefinition& pool, const std::string& volume)
{
    const std::string prefix = fmt::format("md{}p", pool.md_number);
    if (const auto number = number_after(volume, prefix); number && *number > 0)
        return *number;
    throw Error(fmt::format("there is no volume '{}': this pool's are named {}1, {}2, …", volume,
                            prefix, prefix),
                fmt::format("zraid-pool vol-list {}", pool.name));
}

bool has_partition(const Paths& paths, const PoolDefinition& pool, const std::string& volume)
{
    return kernel_partitions(paths, pool.md_kernel_name()).contains(partition_number(pool, volume));
}

std::string openers_of_device_at(const Paths& paths, const std::string& path)
{
    std::error_code ignored;
    const auto real = std::filesystem::canonical(path, ignored);
    return openers_of_device(paths, device_number(paths, real.filename()));
}

} // namespace zraid
