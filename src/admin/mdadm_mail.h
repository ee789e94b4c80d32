#pragma once

#include "devices/mdadm_conf.h"
#include "util/paths.h"

#include <filesystem>
#include <string>
#include <vector>

namespace zraid {

/// Who hears of what `mdadm --monitor` sees.
enum class AlertRoute
{
    nobody,   ///< neither MAILADDR nor PROGRAM: mdadm watches nothing
    direct,   ///< mdadm tells the administrator itself
    filtered, ///< zraid-md-alert hears of it, and nobody else
    mixed,    ///< zraid-md-alert is named, but so is somebody else, or it cannot be run
};

struct MdadmMailReport
{
    AlertRoute route = AlertRoute::nobody;
    /// Whom the administrator wants to be told, whatever the route is.
    MonitorSettings administrator;
    std::vector<std::filesystem::path> changed; ///< files that this call wrote
    std::string problem;                        ///< what is wrong, if the route is mixed
};

/// Has zraid-md-alert called in the place of what mdadm's configuration names.
/// @throws Error if mdadm could not run it
MdadmMailReport filter_mdadm_mail(const Paths& paths);

/// Puts the configuration back.
MdadmMailReport restore_mdadm_mail(const Paths& paths);

/// Only tells.
MdadmMailReport report_mdadm_mail(const Paths& paths);

/// What the administrator wants to be told, filtered or not.
MonitorSettings administrator_settings(const Paths& paths, std::vector<MdadmConfFile> files);

} // namespace zraid
