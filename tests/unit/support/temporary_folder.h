#pragma once

#include "util/error.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <sys/stat.h>

namespace zraid::test {

/// Permissions and the three bits before them, as chmod(2) takes them.
inline mode_t mode_of(const std::filesystem::path& path)
{
    struct stat info = {};
    if (::stat(path.c_str(), &info) != 0)
        throw SystemError(errno, "stat '" + path.string() + "'");
    return info.st_mode & 07777U;
}

/// A folder for one test, removed with all that is in it.
class TemporaryFolder
{
public:
    /// @param base where it is made
    explicit TemporaryFolder(
        const std::filesystem::path& base = std::filesystem::temp_directory_path())
    {
        std::string name = base / "zraid-test-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr)
            throw SystemError(errno, "make a folder '" + name + "'");
        path_ = std::filesystem::canonical(name);
    }
    ~TemporaryFolder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    TemporaryFolder(TemporaryFolder&&) = delete;
    TemporaryFolder& operator=(TemporaryFolder&&) = delete;

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

    /// Writes a file, with the folders above it. @return its path
    std::filesystem::path put(const std::filesystem::path& name, std::string_view content) const
    {
        const auto file = path_ / name;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream stream(file, std::ios::binary | std::ios::trunc);
        stream.write(content.data(), static_cast<std::streamsize>(content.size()));
        if (!stream.flush())
            throw Error("write '" + file.string() + "'");
        return file;
    }
    /// Makes a symbolic link, with the folders above it. @return its path
    std::filesystem::path link(const std::filesystem::path& name,
                               const std::filesystem::path& target) const
    {
        const auto file = path_ / name;
        std::filesystem::create_directories(file.parent_path());
        std::filesystem::create_symlink(target, file);
        return file;
    }
    std::filesystem::path folder(const std::filesystem::path& name) const
    {
        std::filesystem::create_directories(path_ / name);
        return path_ / name;
    }

private:
    std::filesystem::path path_;
};

} // namespace zraid::test
