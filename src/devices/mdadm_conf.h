#pragma once

#include "util/paths.h"

#include <filesystem>
#include <string>
#include <vector>

namespace zraid {

/// What mdadm.conf(5) tells `mdadm --monitor`; empty: not said.
struct MonitorSettings
{
    std::string mail_address; ///< MAILADDR: the first one counts, as with mdadm
    std::string mail_from;    ///< MAILFROM: all of its words
    std::string program;      ///< PROGRAM: the first one counts

    /// mdadm --monitor --scan watches nothing unless it has somebody to tell.
    bool has_listener() const { return !mail_address.empty() || !program.empty(); }

    bool operator==(const MonitorSettings&) const = default;
};

/// One of the files that mdadm takes for its configuration.
struct MdadmConfFile
{
    std::filesystem::path path;
    std::string content;
};

/// The files that exist, in mdadm's order: the first of /etc/mdadm.conf and /etc/mdadm/mdadm.conf
/// that is there, then NAME.d/*.conf beside it.
/// @throws SystemError if one cannot be read
std::vector<MdadmConfFile> read_mdadm_conf(const Paths& paths);

/// What mdadm reads in these files.
MonitorSettings monitor_settings(const std::vector<MdadmConfFile>& files);

/// Puts a program of ours in the place of the administrator's: comments his MAILADDR and PROGRAM
/// lines out so that give_back_alerts finds them, and adds a PROGRAM line before the first of them.
/// Files that are changed already are changed anew. Nothing changes where there is no such line.
/// @param program absolute path without blanks; its file name is what give_back_alerts goes by
void take_over_alerts(std::vector<MdadmConfFile>& files, const std::filesystem::path& program);

/// The opposite: every byte is as before take_over_alerts, except where somebody else wrote since.
/// @param program only the file name counts, so that a line for another folder goes too
void give_back_alerts(std::vector<MdadmConfFile>& files, const std::filesystem::path& program);

} // namespace zraid
