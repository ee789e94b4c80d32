#include "devices/partitions.h"

#include "util/busy.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/files.h"
#include "util/log.h"
#include "util/process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/blkpg.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace zraid {

namespace {

CommandResult parted(const std::string& device, std::vector<std::string> words, int lock_fd,
                     std::vector<int> accepted = {0})
{
    Command command{{"parted", "--script", "--machine", device}};
    command.argv.insert(command.argv.end(), words.begin(), words.end());
    command.accepted = std::move(accepted);
    command.timeout = Milliseconds{60'000};
    if (lock_fd >= 0)
        command.keep_open = {lock_fd};
    return run(command);
}

CommandResult sfdisk(const std::vector<std::string>& words, std::string input, int lock_fd)
{
    // Without --force it refuses what is in use.
    Command command{{"sfdisk", "--quiet", "--force", "--no-reread", "--no-tell-kernel"}};
    command.argv.insert(command.argv.end(), words.begin(), words.end());
    command.timeout = Milliseconds{60'000};
    command.input = std::move(input);
    if (lock_fd >= 0)
        command.keep_open = {lock_fd};
    return run(command);
}

bool table_has(const std::string& device, int number, int lock_fd)
{
    // Machine output: a line "NUMBER:START:END:…;" for each partition.
    const std::string out = parted(device, {"unit", "B", "print"}, lock_fd).out;
    return out.find(fmt::format("\n{}:", number)) != std::string::npos;
}

/// Time for those who only look at a volume, such as udev, to be through with it.
constexpr Milliseconds kUdevLooks{2000};

/// @return false if the kernel did not know it
bool delete_from_kernel(const std::string& device, int number)
{
    const UniqueFd fd = open_file(device, O_RDWR);
    blkpg_partition partition{};
    partition.pno = number;
    blkpg_ioctl_arg request{};
    request.op = BLKPG_DEL_PARTITION;
    request.datalen = sizeof partition;
    request.data = &partition;
    try {
        retry_while_busy(kUdevLooks, [&] {
            if (::ioctl(fd.get(), BLKPG, &request) != 0) // NOLINT(*-vararg)
                throw SystemError(errno,
                                  fmt::format("delete partition {} of '{}'", number, device));
        });
        return true;
    } catch (const SystemError& e) {
        if (e.code() == ENXIO)
            return false;
        if (e.code() == EBUSY)
            throw Error(
                fmt::format("'{}p{}' is in use", device, number),
                fmt::format("shut down the domain that has it (fuser -v {}p{})", device, number));
        throw;
    }
}

} // namespace

PartitionTable read_partition_table(const std::string& device)
{
    const UniqueFd fd = open_file(device, O_RDONLY);
    std::array<char, std::size_t{64} * 1024> begin{};
    const ssize_t n = ::pread(fd.get(), begin.data(), begin.size(), 0);
    if (n < 0)
        throw SystemError(errno, "read '" + device + "'");
    constexpr std::string_view magic = "EFI PART"; // at the second sector
    if (std::string_view(begin.data() + 4096, magic.size()) == magic)
        return PartitionTable::gpt;
    return std::all_of(begin.begin(), begin.begin() + n, [](char c) { return c == 0; })
               ? PartitionTable::none
               : PartitionTable::other;
}

void make_gpt(const std::string& device, int lock_fd)
{
    parted(device, {"mklabel", "gpt"}, lock_fd);
}

std::set<int> kernel_partitions(const Paths& paths, const std::string& device)
{
    std::set<int> numbers;
    for (const std::string& entry : entries_of(paths.block(device))) {
        const auto text = read_attribute(paths.block(device) / entry / "partition");
        int number = 0;
        if (text &&
            std::from_chars(text->data(), text->data() + text->size(), number).ec == std::errc())
            numbers.insert(number);
    }
    return numbers;
}

bool delete_partition(const Paths& paths, const std::string& device, int number, int lock_fd)
{
    const std::string node = paths.device(device);
    const bool in_kernel = delete_from_kernel(node, number);
    const bool in_table = table_has(node, number, lock_fd);
    if (in_table)
        parted(node, {"rm", std::to_string(number)}, lock_fd);
    return in_kernel || in_table;
}

void make_gpt_around(const std::string& device, std::uint64_t start, std::uint64_t size,
                     int lock_fd)
{
    constexpr std::uint64_t sector = 4096;
    sfdisk({"--wipe", "never", "--wipe-partitions", "never", device},
           fmt::format("label: gpt\nstart={}, size={}\n", start / sector, size / sector), lock_fd);
    run({{"partx", "--update", device}});
}

void use_whole_device(const std::string& device, int lock_fd)
{
    sfdisk({"--relocate", "gpt-bak-std", device}, "", lock_fd);
}

void extend_partition(const std::string& device, int number, int lock_fd)
{
    if (!table_has(device, number, lock_fd))
        throw Error(fmt::format("'{}' has no partition {}", device, number));
    sfdisk({"--partno", std::to_string(number), device}, ",+\n", lock_fd);
}

void tell_partition_size(const std::string& device, int number, int lock_fd)
{
    Command command{{"partx", "--update", "--nr", std::to_string(number), device}};
    if (lock_fd >= 0)
        command.keep_open = {lock_fd};
    run(command);
}

void settle_udev()
{
    try {
        run({{"udevadm", "settle", "--timeout=10"}, Milliseconds{15'000}, {0, 1}});
    } catch (const Error& e) {
        log().debug("{}", explain(e)); // a host without udev has nothing to settle
    }
}

} // namespace zraid
