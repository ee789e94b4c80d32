#include "admin/boot_units.h"

#include "devices/device_names.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/files.h"
#include "util/log.h"
#include "util/process.h"

#include <set>

#include <fmt/core.h>

namespace zraid {

namespace {

namespace fs = std::filesystem;

constexpr const char* kTemplate = "zraid-pool@.service";

/// A path as systemd reads it in a list: quoted, and without specifiers.
std::string quoted(const std::string& path)
{
    std::string text = "\"";
    for (const char c : path) {
        if (c == '"' || c == '\\' || c == '%')
            text += c == '%' ? '%' : '\\';
        text += c;
    }
    return text + '"';
}

/// What a pool is mounted into; its own mount is not to be waited for.
std::string parent_of(const std::string& target)
{
    return fs::path(target).parent_path();
}

/// Waited for as long as a disk takes that the host has, and not 90 s as by default: a device that
/// is gone does not hold up the boot.
constexpr const char* kDeviceTimeout = "[Unit]\nJobRunningTimeoutSec=30s\n";

/// What a pool's unit waits for.
std::string dependencies(const PoolDefinition& pool, const fs::path& folder)
{
    if (pool.image_kind == ImageKind::file)
        return fmt::format("RequiresMountsFor={}\n", quoted(pool.image));
    const std::string device = unit_of_path(pool.image, "device");
    const fs::path additions = folder / (device + ".d");
    make_folder(additions, 0755);
    save_atomically(additions / "zraid.conf", kDeviceTimeout, 0644);
    // iSCSI and RBD come up before remote-fs-pre.target, so they go down behind the pool.
    return fmt::format("Wants={0}\nAfter={0} remote-fs-pre.target\n", device);
}

void write_unit(const PoolDefinition& pool, const fs::path& folder, const fs::path& unit_folder)
{
    const std::string unit = fmt::format("zraid-pool@{}.service", pool.name);
    const fs::path additions = folder / (unit + ".d");
    make_folder(additions, 0755);
    std::string text = "[Unit]\n" + dependencies(pool, folder);
    if (!pool.target.empty())
        text += fmt::format("RequiresMountsFor={}\n", quoted(parent_of(pool.target)));
    save_atomically(additions / "image.conf", text, 0644);
    const fs::path wants = folder / "multi-user.target.wants";
    make_folder(wants, 0755);
    const fs::path link = wants / unit;
    fs::remove(link);
    fs::create_symlink(unit_folder / kTemplate, link);
}

/// All arrays end by zraid-pools.service, so it has to be in front of the unmounting of each
/// image's file system. An order alone: a mount that fails, or is none, matters to its own pool
/// only.
void write_order_of_end(const std::set<std::string>& images, const fs::path& folder)
{
    std::set<std::string> mounts;
    for (const std::string& image : images) {
        for (fs::path at = fs::path(image).parent_path(); at.has_relative_path();
             at = at.parent_path())
            mounts.insert(unit_of_path(at, "mount"));
    }
    const fs::path additions = folder / "zraid-pools.service.d";
    make_folder(additions, 0755);
    std::string text = "[Unit]\n";
    for (const std::string& mount : mounts)
        text += fmt::format("After={}\n", mount);
    save_atomically(additions / "images.conf", text, 0644);
}

} // namespace

std::vector<std::string> write_boot_units(const Paths& paths, const fs::path& folder,
                                          const fs::path& unit_folder)
{
    std::vector<std::string> problems;
    std::set<std::string> images;
    for (const StoredPool& pool : PoolStore(paths).load_all()) {
        if (!pool.definition) {
            problems.push_back(fmt::format("pool '{}' is left out: {}", pool.name, pool.problem));
            continue;
        }
        if (pool.definition->image_kind == ImageKind::file)
            images.insert(pool.definition->image);
        if (pool.definition->settings.autostart)
            write_unit(*pool.definition, folder, unit_folder);
    }
    if (!images.empty())
        write_order_of_end(images, folder);
    return problems;
}

void renew_boot_units(const Paths& paths) noexcept
{
    try {
        // As sd_booted(3) says.
        if (fs::is_directory(paths.host_run / "systemd/system"))
            run({.argv = {"systemctl", "daemon-reload"}, .timeout = Milliseconds{90'000}});
    } catch (const std::exception& e) {
        log().warn("systemd does not know the pools as they are now: {}. Next: systemctl "
                   "daemon-reload, before the host shuts down",
                   explain(e));
    }
}

} // namespace zraid
