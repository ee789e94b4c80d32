#include "util/files.h"

#include "util/busy.h"
#include "util/error.h"
#include "util/fd.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zraid {

namespace fs = std::filesystem;

void sync_file(int fd, const std::string& name)
{
    if (::fsync(fd) != 0)
        throw SystemError(errno, "fsync '" + name + "'");
}

void sync_folder(const fs::path& folder)
{
    sync_file(open_file(folder, O_RDONLY | O_DIRECTORY).get(), folder);
}

void write_all(int fd, const std::string& content, const std::string& name)
{
    std::size_t done = 0;
    while (done < content.size()) {
        const ssize_t n = ::write(fd, content.data() + done, content.size() - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            throw SystemError(errno, "write '" + name + "'");
        done += static_cast<std::size_t>(n);
    }
}

std::string read_all(int fd, const std::string& name, std::size_t limit)
{
    std::string content;
    std::array<char, 65536> buffer; // NOLINT(*-member-init): what is read is all that is used
    for (;;) {
        const ssize_t n = ::read(fd, buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            throw SystemError(errno, "read '" + name + "'");
        if (n == 0)
            return content;
        content.append(buffer.data(), static_cast<std::size_t>(n));
        if (content.size() > limit)
            throw Error(fmt::format("read '{}': longer than {} bytes", name, limit));
    }
}

std::string read_file(const fs::path& path, std::size_t limit)
{
    return read_all(open_file(path, O_RDONLY).get(), path, limit);
}

std::optional<std::string> read_if_there(const fs::path& path)
{
    const UniqueFd fd = open_if_there(path, O_RDONLY);
    if (!fd)
        return std::nullopt;
    return read_all(fd.get(), path, 16U << 20U);
}

std::optional<std::string> read_attribute(const fs::path& path)
{
    try {
        const UniqueFd fd = open_if_there(path, O_RDONLY);
        if (!fd)
            return std::nullopt;
        // sysfs gives an attribute, one page at most, with the first read(2); the hook reads
        // hundreds of them (Documentation/filesystems/sysfs.rst).
        std::array<char, 4096> buffer; // NOLINT(*-member-init): filled right here
        ssize_t n = 0;
        do {
            n = ::read(fd.get(), buffer.data(), buffer.size());
        } while (n < 0 && errno == EINTR);
        if (n < 0)
            throw SystemError(errno, "read '" + path.string() + "'");
        std::string text(buffer.data(), static_cast<std::size_t>(n));
        text.erase(text.find_last_not_of(" \n") + 1);
        return text;
    } catch (const SystemError& e) {
        if (e.code() == ENODEV || e.code() == ENXIO || e.code() == ENOTDIR)
            return std::nullopt;
        throw;
    }
}

void write_attribute(const fs::path& path, const std::string& value)
{
    const UniqueFd fd = open_file(path, O_WRONLY);
    ssize_t n = 0;
    do {
        n = ::write(fd.get(), value.data(), value.size());
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        throw SystemError(errno, fmt::format("write '{}' to '{}'", value, path.string()));
}

bool write_when_free(const fs::path& path, const std::string& value, Milliseconds limit)
{
    try {
        retry_while_busy(limit, [&] { write_attribute(path, value); });
    } catch (const SystemError& e) {
        if (e.code() == EBUSY)
            return false;
        if (e.code() != ENOENT && e.code() != ENODEV)
            throw;
    }
    return true;
}

namespace {

void rename_file(const fs::path& from, const fs::path& to)
{
    if (::rename(from.c_str(), to.c_str()) != 0)
        throw SystemError(errno, fmt::format("rename '{}' to '{}'", from.string(), to.string()));
}

/// May this process name a file of O_TMPFILE? AppArmor refuses that to one it confines, whatever
/// its profile allows: for it the file is deleted ("Failed name lookup - deleted entry",
/// Linux 6.1). libvirt's daemon is confined on Debian, and the hook with it.
bool may_name_later()
{
    std::string label;
    // Nothing can be read where there is no such security module. See apparmor(7).
    std::ifstream("/proc/self/attr/current") >> label;
    return label.empty() || label == "unconfined";
}

/// Gives a file of O_TMPFILE its name, also where there is one of that name.
void name_file(const UniqueFd& fd, const fs::path& path, const fs::path& temporary)
{
    const std::string unnamed = fmt::format("/proc/self/fd/{}", fd.get());
    const auto name_it = [&](const fs::path& name) {
        return ::linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
    };
    if (name_it(path))
        return;
    if (errno != EEXIST || !name_it(temporary))
        throw SystemError(errno, "name '" + path.string() + "'");
    rename_file(temporary, path);
}

} // namespace

void save_atomically(const fs::path& path, const std::string& content, mode_t mode)
{
    // One name for all: who writes holds the lock of what it is about, and what a killed writer
    // left is taken over by the next one.
    const fs::path temporary = path.string() + ".new";
    try {
        ::unlink(temporary.c_str());
        // Without a name until it is whole, so that a kill leaves nothing where there was nothing.
        UniqueFd fd;
        bool has_name = !may_name_later();
        if (!has_name) {
            fd = UniqueFd(::open(path.parent_path().c_str(), // NOLINT(*-vararg)
                                 O_WRONLY | O_TMPFILE | O_CLOEXEC, mode));
            has_name = !fd && errno == EOPNOTSUPP; // on an overlay, before Linux 6.2
        }
        if (has_name)
            fd = open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, mode);
        if (!fd)
            throw SystemError(errno, "open '" + path.string() + "'");
        write_all(fd.get(), content, path);
        if (::fchmod(fd.get(), mode) != 0 || ::fsync(fd.get()) != 0)
            throw SystemError(errno, "fsync '" + path.string() + "'");
        if (has_name)
            rename_file(temporary, path);
        else
            name_file(fd, path, temporary);
    } catch (const SystemError& e) {
        ::unlink(temporary.c_str());
        if (e.code() == ENOSPC)
            std::throw_with_nested(
                Error("save a file", fmt::format("make room there (df '{}'), then try again",
                                                 path.parent_path().string())));
        throw;
    } catch (...) {
        ::unlink(temporary.c_str());
        throw;
    }
    sync_folder(path.parent_path());
}

void replace_atomically(const fs::path& path, const std::string& content)
{
    std::error_code code;
    const fs::path file = fs::canonical(path, code);
    struct stat old = {};
    if (code || ::stat(file.c_str(), &old) != 0)
        throw SystemError(code ? code.value() : errno, "open '" + path.string() + "'");
    // With a name from the start: /etc may be an overlay, which has no files without one.
    const fs::path temporary = file.string() + ".zraid-new";
    try {
        ::unlink(temporary.c_str());
        const UniqueFd fd = open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, 0600);
        write_all(fd.get(), content, temporary);
        // The owner first: a change of it takes bits from the mode.
        if (::fchown(fd.get(), old.st_uid, old.st_gid) != 0 ||
            ::fchmod(fd.get(), old.st_mode & 07777U) != 0 || ::fsync(fd.get()) != 0)
            throw SystemError(errno, "finish '" + temporary.string() + "'");
        rename_file(temporary, file);
    } catch (...) {
        ::unlink(temporary.c_str());
        throw;
    }
    sync_folder(file.parent_path());
}

bool remove_durably(const fs::path& path)
{
    if (::unlink(path.c_str()) != 0) {
        if (errno == ENOENT)
            return false;
        throw SystemError(errno, "remove '" + path.string() + "'");
    }
    sync_folder(path.parent_path());
    return true;
}

void make_folder(const fs::path& path, mode_t mode)
{
    if (fs::is_directory(path))
        return;
    if (path.has_parent_path() && path.parent_path() != path)
        make_folder(path.parent_path(), mode);
    if (::mkdir(path.c_str(), mode) == 0)
        return;
    // Made by somebody else meanwhile, or something else is in the way.
    const int code = errno == EEXIST && !fs::is_directory(path) ? ENOTDIR : errno;
    if (code != EEXIST)
        throw SystemError(code, "make folder '" + path.string() + "'");
}

std::vector<std::string> entries_of(const fs::path& folder)
{
    std::vector<std::string> names;
    std::error_code code;
    fs::directory_iterator it(folder, code);
    if (code == std::errc::no_such_file_or_directory)
        return names;
    if (code)
        throw SystemError(code.value(), "list '" + folder.string() + "'");
    for (const auto& entry : it)
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace zraid
