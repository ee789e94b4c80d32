#include "admin/mdadm_mail.h"
#include "doctor/looks.h"
#include "layout/layout.h"
#include "mirror/ram_leg.h"
#include "pools/store.h"
#include "util/files.h"

#include <algorithm>
#include <sstream>

#include <fmt/core.h>

namespace zraid::doctor {

namespace {

namespace fs = std::filesystem;

/// Does lvm.conf(5) have a filter, in a line that is no comment, that says something about md?
bool filters_md(const std::string& text)
{
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t begin = std::min(line.find_first_not_of(" \t"), line.size());
        const std::string_view setting = std::string_view(line).substr(begin);
        if (setting.starts_with("global_filter") && setting.find("md") != std::string_view::npos)
            return true;
    }
    return false;
}

/// A filter that hides what guests write from LVM, but not the arrays that hold volume groups. Of a
/// device's names the first one that anything is said of counts.
std::string advised_filter(const Paths& paths)
{
    std::string accepted;
    for (const StoredPool& pool : PoolStore(paths).load_all()) {
        if (pool.definition && layout_traits(pool.definition->type).needs_lvm_of_host)
            accepted += fmt::format(R"("a|^{}$|", )", pool.definition->md_device());
    }
    return fmt::format(R"(global_filter = [ {}"r|^/dev/md[0-9]+p|", "r|^/dev/zraid/|" ])",
                       accepted);
}

Finding look_at_lvm(const Paths& paths)
{
    const auto text = read_if_there(paths.host_etc / "lvm/lvm.conf");
    if (!text)
        return {Severity::good, "LVM", "not in use", ""};
    if (filters_md(*text))
        return {Severity::good, "LVM", "its global_filter speaks of md", ""};
    return {Severity::warning, "LVM",
            "vgs and lvs, called by hand, look at what guests write into their volumes",
            fmt::format("in /etc/lvm/lvm.conf: {}, unless the host has volume groups of its own on "
                        "such partitions",
                        advised_filter(paths))};
}

Finding look_at_apparmor(const Paths& paths)
{
    if (read_attribute(paths.sys / "module/apparmor/parameters/enabled").value_or("N") != "Y")
        return {Severity::good, "AppArmor", "not in use", ""};
    return {Severity::note, "AppArmor",
            "libvirt denies domains their <disk type='volume'> (9 does, later ones may not); "
            "type='block', as zraid-pool disk-xml writes it, works",
            ""};
}

Finding look_at_zram(const Paths& paths)
{
    std::set<std::string> ours;
    for (const std::string& pool : PoolStore(paths).names()) {
        if (const auto device = RamLegRecord::device_of(paths, pool))
            ours.insert(*device);
    }
    std::string others;
    for (const std::string& device : entries_of(paths.sys / "block")) {
        if (device.starts_with("zram") && !ours.contains(device))
            others += (others.empty() ? "" : ", ") + device;
    }
    if (others.empty())
        return {Severity::good, "zram", "nobody else has devices", ""};
    return {
        Severity::note, "zram",
        fmt::format("{} is not zraid's and is left alone; its memory is counted as used", others),
        ""};
}

Finding look_at_service(const Paths& paths, const std::string& unit, const std::string& what)
{
    const fs::path link = paths.host_etc / "systemd/system/multi-user.target.wants" / unit;
    if (fs::is_symlink(fs::symlink_status(link)))
        return {Severity::good, "services", unit + " is enabled", ""};
    return {Severity::warning, "services", fmt::format("{} is not enabled: {}", unit, what),
            "systemctl enable --now " + unit};
}

} // namespace

Findings look_at_udev(const Paths& paths)
{
    Findings found;
    if (fs::exists(paths.host_run / "udev/control"))
        found.push_back({Severity::good, "udev", "udevd runs", ""});
    else
        found.push_back({Severity::error, "udev",
                         "udevd does not run: there are no links below /dev/zraid, and libvirt "
                         "misses new volumes",
                         "systemctl start systemd-udevd"});
    if (fs::exists(paths.udev_rules))
        found.push_back({Severity::good, "udev", paths.udev_rules.string(), ""});
    else
        found.push_back({Severity::error, "udev",
                         fmt::format("'{}' is not there: other rules assemble our legs, and look "
                                     "into what guests write",
                                     paths.udev_rules.string()),
                         "install zraid again, then udevadm control --reload"});
    // A file of the same name in these folders takes the rule's place (udev(7)).
    for (const fs::path& folder :
         {paths.host_etc / "udev/rules.d", paths.host_run / "udev/rules.d"}) {
        const fs::path file = folder / paths.udev_rules.filename();
        if (fs::exists(fs::symlink_status(file)))
            found.push_back({Severity::warning, "udev",
                             fmt::format("'{}' takes the place of zraid's rule", file.string()),
                             "remove it, unless you know why it is there"});
    }
    return found;
}

Findings look_at_services(const Paths& paths)
{
    Findings found;
    if (processes_named(paths, "zraid-monitor").empty())
        found.push_back({Severity::warning, "services",
                         "zraid-monitor does not run: a leg that was lost stays lost until you act",
                         "systemctl enable --now zraid-monitor"});
    else
        found.push_back({Severity::good, "services", "zraid-monitor runs", ""});
    if (!fs::exists(paths.host_run / "systemd/system")) {
        found.push_back({Severity::note, "services",
                         "the host was not booted with systemd: see that zraid-pool start --all "
                         "comes before libvirt, and zraid-pool stop --all behind it",
                         ""});
        return found;
    }
    found.push_back(look_at_service(paths, "zraid-pools.service",
                                    "arrays are not stopped in order at shutdown"));
    return found;
}

Findings look_at_neighbours(const Paths& paths)
{
    return {look_at_lvm(paths), look_at_apparmor(paths), look_at_zram(paths)};
}

Findings look_at_mdadm_mail(const Paths& paths)
{
    const MdadmMailReport report = report_mdadm_mail(paths);
    switch (report.route) {
    case AlertRoute::nobody:
        return {{Severity::good, "mdadm", "its monitor tells nobody anything", ""}};
    case AlertRoute::filtered:
        return {{Severity::good, "mdadm", "its monitor tells only of real trouble", ""}};
    case AlertRoute::direct:
        return {{Severity::note, "mdadm",
                 "its monitor takes pools between runs for degraded arrays, and says so each day",
                 "zraid-pool mdadm-mail filter"}};
    default:
        return {{Severity::warning, "mdadm", report.problem, "zraid-pool mdadm-mail filter"}};
    }
}

} // namespace zraid::doctor
