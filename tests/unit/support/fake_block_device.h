#pragma once

#include "support/fake_system.h"
#include "util/error.h"
#include "util/files.h"

#include <cerrno>
#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace zraid::test {

inline std::string device_numbers(dev_t device)
{
    return fmt::format("{}:{}", gnu_dev_major(device), gnu_dev_minor(device));
}

/// A block device in a fake system: its folder in /sys, found through /sys/block. A partition is
/// named with its disk: "md100/md100p1".
inline std::string add_block_device(const FakeSystem& system, const std::string& name)
{
    const std::filesystem::path folder = "sys/devices/virtual/block/" + name;
    system.folder(folder / "slaves");
    if (name.find('/') == std::string::npos)
        system.link("sys/block/" + name, "../devices/virtual/block/" + name);
    else
        system.put(folder / "partition", "1\n");
    if (name.starts_with("md") && name.find('/') == std::string::npos)
        system.folder(folder / "md");
    return system / folder.string();
}

/// Says that a device is made of another one.
inline void add_slave(const FakeSystem& system, const std::string& upper, const std::string& lower)
{
    system.link("sys/devices/virtual/block/" + upper + "/slaves/" +
                    std::filesystem::path(lower).filename().string(),
                system / ("sys/devices/virtual/block/" + lower));
}

/// Says which folder of /sys a device number has.
inline void give_number(const FakeSystem& system, dev_t device, const std::string& name)
{
    system.link("sys/dev/block/" + device_numbers(device),
                system / ("sys/devices/virtual/block/" + name));
}

/// A node of some block device, never opened: one made for the test where that is allowed, else
/// any that the host has.
class BlockNode
{
public:
    explicit BlockNode(const FakeSystem& system)
    {
        path_ = system / "dev/node";
        number_ = gnu_dev_makedev(240, 77); // of the range for local use
        if (::mknod(path_.c_str(), S_IFBLK | 0600U, number_) == 0)
            return;
        for (const std::string& name : entries_of("/dev")) {
            path_ = "/dev/" + name;
            struct stat info = {};
            if (::stat(path_.c_str(), &info) == 0 && S_ISBLK(info.st_mode)) {
                number_ = info.st_rdev;
                return;
            }
        }
        throw Error("this test needs a block device's node: run it as root, or where /dev has one");
    }
    const std::string& path() const { return path_; }
    dev_t number() const { return number_; }

private:
    std::string path_;
    dev_t number_ = 0;
};

} // namespace zraid::test
