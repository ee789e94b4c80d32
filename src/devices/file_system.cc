#include "devices/file_system.h"

#include "devices/partitions.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/process.h"

#include <array>
#include <cerrno>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

namespace zraid {

namespace {

void call(std::vector<std::string> argv, int lock_fd)
{
    Command command{std::move(argv)};
    command.timeout = Milliseconds{120'000};
    if (lock_fd >= 0)
        command.keep_open = {lock_fd};
    run(command);
}

} // namespace

FileSystem read_file_system(const std::string& device)
{
    const UniqueFd fd = open_file(device, O_RDONLY);
    std::array<char, 512> superblock{};
    const ssize_t n = ::pread(fd.get(), superblock.data(), superblock.size(), 0);
    if (n < 0)
        throw SystemError(errno, "read '" + device + "'");
    constexpr std::string_view magic = "XFSB";
    constexpr std::size_t in_progress = 126; // sb_inprogress: 1 until mkfs.xfs is done
    if (std::string_view(superblock.data(), magic.size()) == magic)
        return superblock.at(in_progress) != 0 ? FileSystem::unfinished : FileSystem::xfs;
    return read_partition_table(device) == PartitionTable::none ? FileSystem::none
                                                                : FileSystem::other;
}

void make_xfs(const std::string& device, const Uuid& uuid, int lock_fd)
{
    std::vector<std::string> argv{"mkfs.xfs", "-q", "-K", "-m", "uuid=" + uuid.text()};
    if (read_file_system(device) == FileSystem::unfinished)
        argv.emplace_back("-f");
    argv.push_back(device);
    call(std::move(argv), lock_fd);
}

void mount_xfs(const std::string& device, const std::string& point, int lock_fd)
{
    // Discards go on to zram and the image, where they free memory and disk.
    call({"mount", "-t", "xfs", "-o", "nosuid,nodev,noexec,discard", "--", device, point}, lock_fd);
}

void unmount(const std::string& point, int lock_fd)
{
    call({"umount", "--", point}, lock_fd);
}

void grow_xfs(const std::string& point, int lock_fd)
{
    call({"xfs_growfs", point}, lock_fd);
}

} // namespace zraid
