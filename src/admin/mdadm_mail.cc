#include "admin/mdadm_mail.h"

#include "util/error.h"
#include "util/files.h"
#include "util/lock.h"
#include "util/log.h"

#include <fmt/core.h>
#include <unistd.h>

namespace zraid {

namespace {

FileLock lock_configuration(const Paths& paths)
{
    // No pool has a name that begins with a dot.
    return FileLock(paths.lock(".mdadm-mail"), Milliseconds{30'000});
}

bool can_be_run(const Paths& paths)
{
    return ::access(paths.md_alert().c_str(), X_OK) == 0;
}

bool names(const MonitorSettings& mdadm, const std::filesystem::path& program)
{
    return std::filesystem::path(mdadm.program).filename() == program.filename();
}

std::string problem_of(const Paths& paths, const MonitorSettings& mdadm)
{
    if (!names(mdadm, paths.md_alert()))
        return "the line that names zraid-md-alert is missing";
    if (!mdadm.mail_address.empty())
        return fmt::format("mdadm also sends its mail to '{}' itself", mdadm.mail_address);
    if (mdadm.program != paths.md_alert().string())
        return fmt::format("mdadm calls '{}', not '{}'", mdadm.program, paths.md_alert().string());
    return can_be_run(paths) ? "" : fmt::format("'{}' cannot be run", mdadm.program);
}

bool has_taken_out_lines(const MonitorSettings& mdadm, const MonitorSettings& administrator)
{
    return mdadm.mail_address != administrator.mail_address ||
           mdadm.program != administrator.program;
}

MdadmMailReport report_on(const Paths& paths, const std::vector<MdadmConfFile>& files)
{
    MdadmMailReport report;
    const MonitorSettings mdadm = monitor_settings(files);
    report.administrator = administrator_settings(paths, files);
    if (!names(mdadm, paths.md_alert()) && !has_taken_out_lines(mdadm, report.administrator)) {
        report.route = mdadm.has_listener() ? AlertRoute::direct : AlertRoute::nobody;
        return report;
    }
    report.problem = problem_of(paths, mdadm);
    report.route = report.problem.empty() ? AlertRoute::filtered : AlertRoute::mixed;
    return report;
}

MdadmMailReport report_change(const Paths& paths, const std::vector<MdadmConfFile>& files,
                              std::vector<std::filesystem::path> changed)
{
    MdadmMailReport report = report_on(paths, files);
    report.changed = std::move(changed);
    return report;
}

/// Saves what differs of the files from `now` on, one after the other.
/// @param old the same files as they were, up to `end`
template <typename Iterator>
std::vector<std::filesystem::path> save_changes(Iterator old, Iterator end, Iterator now)
{
    std::vector<std::filesystem::path> changed;
    for (; old != end; ++old, ++now) {
        if (old->content == now->content)
            continue;
        replace_atomically(now->path, now->content);
        log().info("changed '{}'", now->path.string());
        changed.push_back(now->path);
    }
    return changed;
}

} // namespace

MonitorSettings administrator_settings(const Paths& paths, std::vector<MdadmConfFile> files)
{
    give_back_alerts(files, paths.md_alert());
    return monitor_settings(files);
}

MdadmMailReport filter_mdadm_mail(const Paths& paths)
{
    if (!can_be_run(paths))
        throw Error(fmt::format("'{}' cannot be run", paths.md_alert().string()),
                    "install zraid completely; nothing was changed");
    const FileLock lock = lock_configuration(paths);
    const auto old = read_mdadm_conf(paths);
    auto files = old;
    if (administrator_settings(paths, files).has_listener())
        take_over_alerts(files, paths.md_alert());
    // Our line is in the first file that changes, so that mdadm has somebody to tell at each
    // moment.
    return report_change(paths, files, save_changes(old.begin(), old.end(), files.cbegin()));
}

MdadmMailReport restore_mdadm_mail(const Paths& paths)
{
    const FileLock lock = lock_configuration(paths);
    const auto old = read_mdadm_conf(paths);
    auto files = old;
    give_back_alerts(files, paths.md_alert());
    // … and it goes last.
    return report_change(paths, files, save_changes(old.rbegin(), old.rend(), files.crbegin()));
}

MdadmMailReport report_mdadm_mail(const Paths& paths)
{
    return report_on(paths, read_mdadm_conf(paths));
}

} // namespace zraid
