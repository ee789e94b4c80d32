#pragma once

#include "support/temporary_folder.h"
#include "util/files.h"
#include "util/paths.h"

#include <map>
#include <sstream>
#include <string>

namespace zraid::test {

/// A folder that stands in for /sys, /dev, /proc, /etc, /etc/zraid, /run/zraid and sendmail. Schema
/// and templates are those of the source tree.
class FakeSystem : public TemporaryFolder
{
public:
    explicit FakeSystem(const std::filesystem::path& base = std::filesystem::temp_directory_path())
        : TemporaryFolder(base)
    {
        paths.sys = folder("sys");
        paths.dev = folder("dev");
        paths.proc = folder("proc");
        paths.host_etc = folder("host-etc");
        paths.sendmail = path() / "sendmail";
        paths.lib = ZRAID_LIB_OF_BUILD;
        paths.libexec = "/usr/libexec/zraid";
        paths.etc = path() / "etc";
        paths.run = path() / "run";
        paths.share = ZRAID_SOURCE_DIR "/xml-templates";
        folder("sys/block");
    }

    /// Several files below one folder: name and content, without the line end that sysfs puts
    /// behind each.
    void put_all(const std::string& below, const std::map<std::string, std::string>& files) const
    {
        for (const auto& [name, content] : files)
            put(std::filesystem::path(below) / name, content + "\n");
    }
    /// Puts a recorded tree (a file in tests/unit/data: a line "name: content" for each file)
    /// below one folder.
    void put_tree(const std::string& recording, const std::string& below) const
    {
        std::istringstream lines(
            read_file(std::filesystem::path(ZRAID_SOURCE_DIR "/tests/unit/data") / recording));
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with('#'))
                continue;
            const std::size_t colon = line.find(':');
            const std::string content =
                line.size() > colon + 2 ? line.substr(colon + 2) + "\n" : "";
            put(std::filesystem::path(below) / line.substr(0, colon), content);
        }
    }
    void remove(const std::string& name) const { std::filesystem::remove_all(path() / name); }

    Paths paths;
};

} // namespace zraid::test
