#pragma once

#include "devices/mdadm_conf.h"
#include "mirror/state.h"
#include "util/paths.h"

#include <optional>
#include <string>
#include <vector>

namespace zraid {

/// What `mdadm --monitor` tells its PROGRAM, see mdadm(8), MONITOR MODE.
struct MdAlert
{
    std::string event;  ///< "DegradedArray", "Fail", "Rebuild20", …
    std::string device; ///< "/dev/md100", or a link to it
    /// The member it is about: a device, or "252:0" where its node is gone. With a blank in front
    /// it is other information. Nothing: none was given.
    std::optional<std::string> component;
};

/// What an alert is about, as far as it can be told.
enum class AlertMember
{
    none,    ///< the array as a whole
    ram_leg, ///< a zram device
    other,   ///< another device, or one that cannot be told
};

/// Shall the administrator hear of it?
struct AlertVerdict
{
    bool passed_on = true;
    std::string why; ///< for the log and the mail; empty: the array is none of ours
};

/// Judges an alert about a pool's array by what it says and by what the pool looks like now. Quiet
/// only if it is known to be what zraid does on purpose.
AlertVerdict judge_alert(const MdAlert& alert, AlertMember member, const PoolView& view);

/// The same for any array of the host. What cannot be found out is passed on.
AlertVerdict judge_alert(const Paths& paths, const MdAlert& alert);

/// Does mdadm send a mail for this event, where it has an address?
bool is_mailed(const std::string& event);

/// A mail as mdadm sends it, with the same facts in it, and what is known of the pool.
std::string alert_mail(const Paths& paths, const MdAlert& alert, const MonitorSettings& settings,
                       const std::string& why);

/// Hears of an alert: logs it, and passes it on if the administrator shall hear of it.
/// @return program and arguments of the administrator's own PROGRAM, which the caller has to turn
///         into; empty: there is none to be run
std::vector<std::string> handle_md_alert(const Paths& paths, const MdAlert& alert);

} // namespace zraid
