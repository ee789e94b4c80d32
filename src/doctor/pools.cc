#include "admin/report.h"
#include "doctor/looks.h"
#include "layout/layout.h"
#include "util/error.h"
#include "util/size.h"

#include <algorithm>

#include <fmt/core.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>

namespace zraid::doctor {

namespace {

/// What the file system below an image is, if that is worth a word.
std::string remark_on_file_system(const struct statfs& status)
{
    switch (static_cast<unsigned long>(status.f_type)) {
    case NFS_SUPER_MAGIC:
        return "NFS: what a flush costs, and what it is worth, is the server's business";
    case TMPFS_MAGIC:
    case RAMFS_MAGIC:
        return "a file system in memory: nothing of the pool outlives a power cut";
    case BTRFS_SUPER_MAGIC:
        return "Btrfs: an image there should have copy-on-write off (chattr +C, before it has "
               "data)";
    default:
        return "";
    }
}

/// Room that the file system lacks for an image that is written from end to end, bytes.
std::uint64_t missing_room(const struct stat& image, const struct statfs& system)
{
    const std::uint64_t has = static_cast<std::uint64_t>(image.st_blocks) * 512;
    const auto size = static_cast<std::uint64_t>(image.st_size);
    const std::uint64_t wanted = size > has ? size - has : 0;
    const std::uint64_t room =
        static_cast<std::uint64_t>(system.f_bavail) * static_cast<std::uint64_t>(system.f_frsize);
    return wanted > room ? wanted - room : 0;
}

/// The file system that an image file lies on.
void look_at_file(const std::string& subject, const std::string& path, const struct stat& image,
                  Findings& found)
{
    struct statfs system
    {
    };
    if (::statfs(path.c_str(), &system) != 0)
        return; // unmounted just now
    if (const std::string remark = remark_on_file_system(system); !remark.empty())
        found.push_back({Severity::note, subject, "its image lies on " + remark, ""});
    if (const std::uint64_t missing = missing_room(image, system); missing > 0)
        found.push_back({Severity::warning, subject,
                         fmt::format("its image is sparse, and its file system has {} less than it "
                                     "may grow to: a full one takes the disk leg away",
                                     format_size(missing)),
                         "make room, or delete what nobody needs"});
}

void look_at_image(const PoolReport& pool, Findings& found)
{
    const std::string& path = pool.definition.image;
    const std::string subject = fmt::format("pool '{}'", pool.name);
    const bool block = pool.definition.image_kind == ImageKind::block;
    struct stat image
    {
    };
    if (::stat(path.c_str(), &image) != 0) {
        const int code = errno;
        found.push_back({Severity::error, subject,
                         fmt::format("image '{}': {}", path, errno_text(code)),
                         block ? "connect or activate the device; lsblk shows what there is"
                               : "bring back the file, or mount what it lies on"});
        return;
    }
    if (pool.view.other_kind)
        found.push_back({Severity::error, subject,
                         fmt::format("image '{}' is no {}, as its definition has it", path,
                                     block ? "block device" : "regular file"),
                         "put back what was there under that name"});
    else if (block && pool.view.image_size < pool.definition.size)
        found.push_back(
            {Severity::error, subject,
             fmt::format("device '{}' has {}, not {}", path, format_size(pool.view.image_size),
                         format_size(pool.definition.size)),
             "connect it, or make it as large as it was"});
    else if (!block)
        look_at_file(subject, path, image, found);
    if ((image.st_mode & 0006U) != 0)
        found.push_back({Severity::warning, subject,
                         fmt::format("everybody may open its image '{}'", path),
                         fmt::format("chmod o-rw {}", path)});
}

/// What libvirt and zraid need for what stands on the array.
void look_at_layout(const Paths& paths, const PoolReport& pool, Findings& found)
{
    const std::string subject = fmt::format("pool '{}'", pool.name);
    const auto layout = layout_of(paths, pool.definition);
    try {
        layout->check_programs();
    } catch (const std::exception& e) {
        found.push_back({Severity::error, subject, explain(e), "install lvm2 and xfsprogs"});
        return;
    }
    if (pool.view.state() == PoolState::inactive)
        return;
    try {
        layout->refuse_hidden();
    } catch (const Error& e) {
        found.push_back({Severity::error, subject, e.what(), e.next()});
    }
}

void look_at_pool(const Paths& paths, const PoolReport& pool, Findings& found)
{
    const std::string subject = fmt::format("pool '{}'", pool.name);
    if (!pool.problem.empty()) {
        found.push_back({Severity::error, subject, pool.problem, ""});
        return;
    }
    if (const std::string trouble = trouble_of(pool.view); !trouble.empty())
        found.push_back({Severity::error, subject, trouble, ""});
    else if (!pool.attach_problem.empty())
        found.push_back({Severity::warning, subject, pool.attach_problem, ""});
    else
        found.push_back({Severity::good, subject, to_string(pool.view.state()), ""});
    look_at_image(pool, found);
    look_at_layout(paths, pool, found);
}

} // namespace

Findings look_at_pools(const Admin& admin)
{
    Findings found;
    for (const PoolReport& pool : report_all(admin))
        look_at_pool(admin.paths, pool, found);
    if (found.empty())
        found.push_back({Severity::note, "pools", "none is defined", "zraid-pool define --help"});
    return found;
}

Findings look_at_memory(const Admin& admin)
{
    Findings found;
    const BudgetReport budget = report_budget(admin);
    for (const BudgetReport::Pool& pool : budget.pools) {
        if (!pool.fits)
            found.push_back(
                {Severity::warning, "memory",
                 fmt::format(
                     "the RAM leg of pool '{}', {} at worst, does not fit into the {} there "
                     "are room for: its domains would start on the disk leg alone",
                     pool.name, format_size(pool.use.worst), format_size(budget.room)),
                 "free memory, or give the pool a smaller --ram-limit"});
    }
    if (found.empty())
        found.push_back({Severity::good, "memory",
                         fmt::format("room for {} of RAM legs more", format_size(budget.room)),
                         ""});
    return found;
}

} // namespace zraid::doctor
