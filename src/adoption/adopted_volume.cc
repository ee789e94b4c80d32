#include "adoption/adopted_volume.h"

#include "devices/partitions.h"
#include "pools/definition.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/files.h"
#include "util/size.h"
#include "util/wait.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

namespace zraid {

namespace {

constexpr std::uint64_t kStart = kAdoptedFront - kDataOffset; // bytes into the array

std::uint64_t bytes_in(const std::filesystem::path& attribute)
{
    return std::stoull(read_attribute(attribute).value_or("0")) * 512;
}

bool has_volume(const Paths& paths, const AdoptionRecord& record)
{
    const std::string array = record.pool.md_kernel_name();
    const auto partition = paths.block(array) / (array + "p1");
    return kernel_partitions(paths, array) == std::set<int>{1} &&
           bytes_in(partition / "start") == kStart &&
           bytes_in(partition / "size") == adopted_volume_size(record.size);
}

std::array<char, 4096> read_at(const std::string& path, std::uint64_t offset)
{
    std::array<char, 4096> block{};
    const UniqueFd fd = open_file(path, O_RDONLY);
    if (::pread(fd.get(), block.data(), block.size(), static_cast<off_t>(offset)) !=
        static_cast<ssize_t>(block.size()))
        throw SystemError(errno, "read '" + path + "'");
    return block;
}

/// Before a domain gets it: are both ends of the volume those of the image?
void compare_ends(const AdoptionRecord& record)
{
    for (const std::uint64_t at : {std::uint64_t{0}, adopted_volume_size(record.size) - 4096}) {
        if (read_at(record.device(), at) != read_at(record.pool.image, kAdoptedFront + at))
            throw Error(fmt::format("'{}' is not the image at byte {}", record.device(), at));
    }
}

} // namespace

void make_adopted_volume(const Paths& paths, const AdoptionRecord& record, int lock_fd)
{
    if (!has_volume(paths, record))
        make_gpt_around(record.pool.md_device(), kStart, adopted_volume_size(record.size), lock_fd);
    settle_udev();
    check_adopted_volume(paths, record);
    if (!wait_until(Milliseconds{5000},
                    [&] { return std::filesystem::is_block_file(record.device()); }))
        throw Error(fmt::format("'{}' does not appear", record.device()), "does udev run?");
    compare_ends(record);
}

void check_adopted_volume(const Paths& paths, const AdoptionRecord& record)
{
    // The kernel reads the table of an array that was just assembled when it is opened first.
    if (!wait_until(Milliseconds{5000}, [&] { return has_volume(paths, record); }))
        throw Error(
            fmt::format("the pool has other volumes than '{}' as it was adopted", record.device()),
            fmt::format("zraid-pool vol-list {} shows them; copy out what is needed, and "
                        "delete the others",
                        record.pool.name));
}

} // namespace zraid
