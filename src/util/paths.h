#pragma once

#include <filesystem>
#include <string>

namespace zraid {

/// Where everything is. Handed to whoever reads or writes, so that a folder can stand in for the
/// system in tests; never taken from the environment, which a hook should not obey.
struct Paths
{
    std::filesystem::path sys = "/sys";
    std::filesystem::path dev = "/dev";
    std::filesystem::path proc = "/proc";
    std::filesystem::path host_etc = "/etc";        ///< configuration of others: mdadm's
    std::filesystem::path host_run = "/run";        ///< state of others: udev's, systemd's
    std::filesystem::path modules = "/lib/modules"; ///< the kernel's, a folder for each release
    std::filesystem::path hook;                     ///< where libvirt finds it
    std::filesystem::path udev_rules;               ///< our file of udev rules
    std::filesystem::path sendmail = "/usr/sbin/sendmail";
    std::filesystem::path etc;     ///< pool definitions, overriding templates
    std::filesystem::path run;     ///< locks, claims, records: gone after a reboot
    std::filesystem::path share;   ///< templates, schema, mdadm's configuration
    std::filesystem::path lib;     ///< what programs load when they need it
    std::filesystem::path libexec; ///< programs that others call

    /// The folders this build was configured with.
    static Paths system();

    std::filesystem::path pools() const { return etc / "pools"; }
    std::filesystem::path claims(const std::string& pool) const { return run / "claims" / pool; }
    std::filesystem::path lock(const std::string& name) const { return run / "locks" / name; }
    std::filesystem::path block(const std::string& device) const { return sys / "block" / device; }
    std::filesystem::path device(const std::string& name) const { return dev / name; }
    /// What mdadm's monitor calls for each event.
    std::filesystem::path md_alert() const { return libexec / "zraid-md-alert"; }
};

} // namespace zraid
