#include "adoption/hidden_file.h"

#include "devices/file_id.h"
#include "devices/lease.h"
#include "devices/openers.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/files.h"

#include <cerrno>
#include <cstdio>
#include <optional>

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace zraid {

namespace {

bool is_on_nfs(int fd)
{
    struct statfs info = {};
    return ::fstatfs(fd, &info) == 0 && info.f_type == NFS_SUPER_MAGIC;
}

/// What a lease is elsewhere.
void refuse_other_openers(const Paths& paths, const std::string& path)
{
    const std::string others = openers_of_file(paths, path, ::getpid());
    if (!others.empty())
        throw Error(fmt::format("'{}' is in use: {}", path, others), "close what has it open");
}

/// Nobody else has the file open, as far as can be known.
class Quiet
{
public:
    Quiet(const Paths& paths, int fd, const std::string& path) : paths_(paths)
    {
        if (is_on_nfs(fd))
            refuse_other_openers(paths_, path);
        else
            lease_.emplace(fd, path);
    }
    bool still(const std::string& path) const
    {
        if (lease_)
            return lease_->whole();
        try {
            refuse_other_openers(paths_, path);
        } catch (const Error&) {
            return false;
        }
        return true;
    }

private:
    const Paths& paths_;
    std::optional<ExclusiveLease> lease_;
};

} // namespace

void rename_durably(const std::string& from, const std::string& to)
{
    int code = ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0
                   ? 0
                   : errno;
    if (code == EINVAL) // as NFS answers: it cannot do that in one step
        code = file_id(to) ? EEXIST : ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
    if (code != 0)
        throw SystemError(code, fmt::format("rename '{}' to '{}'", from, to),
                          code == EEXIST ? "move away the file that is there" : "");
    sync_folder(std::filesystem::path(to).parent_path());
}

bool is_file_shown(const std::string& image, const std::string& hidden)
{
    const bool shown = file_id(image).has_value();
    if (shown == file_id(hidden).has_value())
        throw Error(shown ? fmt::format("there are both '{}' and '{}'", image, hidden)
                          : fmt::format("there is neither '{}' nor '{}'", image, hidden),
                    shown ? "move the one away that is not the disk"
                          : "bring the file back, or mount what it lies on");
    return shown;
}

void show_file(const std::string& image, const std::string& hidden)
{
    if (!is_file_shown(image, hidden))
        rename_durably(hidden, image);
}

void refuse_open_file(const Paths& paths, const std::string& path)
{
    const UniqueFd fd = open_file(path, O_RDWR);
    const Quiet quiet(paths, fd.get(), path);
}

void hide_file(const Paths& paths, const std::string& from, const std::string& to,
               const std::function<void(int)>& check)
{
    const UniqueFd fd = open_file(from, O_RDWR);
    const Quiet quiet(paths, fd.get(), from);
    check(fd.get());
    rename_durably(from, to);
    // Whoever found it by its old name a moment ago now waits to open it.
    if (!quiet.still(to)) {
        rename_durably(to, from);
        throw Error(fmt::format("'{}' was being opened", from),
                    "see what uses it, shut that down, then try again");
    }
}

} // namespace zraid
