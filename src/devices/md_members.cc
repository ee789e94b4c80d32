#include "devices/md_members.h"

#include "devices/md.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/files.h"
#include "util/log.h"

#include <cerrno>

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/major.h> // MD_MAJOR, which md_u.h takes for granted
#include <linux/raid/md_p.h>
#include <linux/raid/md_u.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace zraid {

namespace {

/// md lets go of a member when the requests that are under way to it are done, and what it copies
/// has stopped.
constexpr Milliseconds kLetGo{10'000};

std::filesystem::path state_file(const Paths& paths, int number, const std::string& device)
{
    return paths.block(md_kernel_name(number)) / "md" / ("dev-" + device) / "state";
}

/// An assembled array that nobody wrote to yet is "read-auto", and copies nothing to its members.
/// It ends before a member comes: md's thread, while it still sees "read-auto", drops the request
/// to copy (MD_RECOVERY_NEEDED, md_check_recovery), and with the state set behind the member that
/// request was lost now and then, so that the copy never began.
/// Whoever made it read-only by hand had a reason: that stays.
void end_auto_read(const Paths& paths, int number)
{
    const auto state = paths.block(md_kernel_name(number)) / "md/array_state";
    if (read_attribute(state) == "read-auto")
        write_attribute(state, "active");
}

} // namespace

void re_add_member(const Paths& paths, int md_number, const std::string& device, int slot,
                   bool write_mostly)
{
    const std::string what = fmt::format("re-add '{}' to '{}'", device, md_kernel_name(md_number));
    struct stat info = {};
    if (::stat(paths.device(device).c_str(), &info) != 0)
        throw SystemError(errno, what);
    const UniqueFd array = open_file(paths.device(md_kernel_name(md_number)), O_RDONLY);
    mdu_disk_info_t disk = {};
    disk.number = slot;
    disk.raid_disk = slot;
    disk.major = static_cast<int>(major(info.st_rdev));
    disk.minor = static_cast<int>(minor(info.st_rdev));
    // "In sync" is what makes md refuse a device that it would have to copy all to.
    disk.state = 1 << MD_DISK_ACTIVE | 1 << MD_DISK_SYNC;
    if (write_mostly)
        disk.state |= 1 << MD_DISK_WRITEMOSTLY;
    end_auto_read(paths, md_number);
    if (::ioctl(array.get(), ADD_NEW_DISK, &disk) != 0) // NOLINT(*-vararg)
        throw SystemError(errno, what);
    log().debug("{}: done", what);
}

void fail_member(const Paths& paths, int md_number, const std::string& device)
{
    write_attribute(state_file(paths, md_number, device), "faulty");
}

void remove_member(const Paths& paths, int md_number, const std::string& device)
{
    if (!write_when_free(state_file(paths, md_number, device), "remove", kLetGo))
        throw SystemError(EBUSY,
                          fmt::format("take '{}' out of '{}'", device, md_kernel_name(md_number)),
                          "try again when the array's disks are less busy; /proc/mdstat shows what "
                          "md does");
    log().debug("took {} out of {}", device, md_kernel_name(md_number));
}

} // namespace zraid
