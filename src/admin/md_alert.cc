#include "admin/md_alert.h"

#include "admin/mdadm_mail.h"
#include "mirror/mirror.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/files.h"
#include "util/log.h"
#include "util/process.h"
#include "util/text.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace zraid {

namespace fs = std::filesystem;

namespace {

/// Where a device that mdadm names is, in these paths.
fs::path node_of(const Paths& paths, const std::string& device)
{
    constexpr std::string_view dev = "/dev/";
    return device.starts_with(dev) ? paths.dev / device.substr(dev.size()) : fs::path(device);
}

/// mdadm names an array as its ARRAY line does, which may be a link.
std::optional<int> array_number(const Paths& paths, const std::string& device)
{
    std::error_code gone;
    const fs::path target = fs::canonical(node_of(paths, device), gone);
    return number_after((gone ? fs::path(device) : target).filename().string(), "md");
}

/// zram's major number, which the kernel gives out anew in each boot.
std::optional<int> zram_major(const Paths& paths)
{
    std::istringstream lines(read_file(paths.proc / "devices"));
    bool block = false;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string number;
        std::string name;
        words >> number >> name;
        block = block || line.starts_with("Block devices");
        if (block && name == "zram")
            return number_after(number, "");
    }
    return std::nullopt;
}

/// Major number of a member, of which mdadm gives the node, or the numbers where the node is gone.
std::optional<int> major_of(const Paths& paths, const std::string& component)
{
    const std::size_t colon = component.find(':');
    if (!component.starts_with('/') && colon != std::string::npos)
        return number_after(component.substr(0, colon), "");
    struct stat info = {};
    if (::stat(node_of(paths, component).c_str(), &info) != 0 || !S_ISBLK(info.st_mode))
        return std::nullopt;
    return static_cast<int>(gnu_dev_major(info.st_rdev));
}

AlertMember member_of(const Paths& paths, const MdAlert& alert)
{
    if (!alert.component || alert.component->starts_with(' '))
        return AlertMember::none;
    // A RAM leg that was detached has no node any more, but mdadm remembers the name.
    if (number_after(*alert.component, "/dev/zram"))
        return AlertMember::ram_leg;
    const auto major = major_of(paths, *alert.component);
    return major && major == zram_major(paths) ? AlertMember::ram_leg : AlertMember::other;
}

/// The events that zraid's own work makes mdadm see.
bool is_everyday(const std::string& event)
{
    constexpr std::array<std::string_view, 6> events{
        "DegradedArray", "DeviceDisappeared", "Fail", "FailSpare", "NewArray", "SpareActive"};
    return event.starts_with("Rebuild") ||
           std::find(events.begin(), events.end(), event) != events.end();
}

std::string host_name()
{
    std::array<char, 256> name{};
    ::gethostname(name.data(), name.size() - 1);
    return name.data();
}

/// For the mail; an alert is worth sending without it.
std::string mdstat(const Paths& paths)
{
    try {
        return read_file(paths.proc / "mdstat");
    } catch (const std::exception& e) {
        return explain(e) + "\n";
    }
}

std::string sentence(const MdAlert& alert)
{
    return fmt::format("{} on {}{}", alert.event, alert.device,
                       alert.component ? fmt::format(" ({})", *alert.component) : "");
}

/// Whom to tell. Where that cannot be read, root: an alert is not to be lost.
MonitorSettings whom_to_tell(const Paths& paths)
{
    try {
        MonitorSettings settings = administrator_settings(paths, read_mdadm_conf(paths));
        // Its own name there would make it call itself without end.
        if (fs::path(settings.program).filename() == paths.md_alert().filename())
            settings.program.clear();
        return settings;
    } catch (const std::exception& e) {
        log().error("{}; mail goes to root", explain(e));
        return {"root", "", ""};
    }
}

void send(const Paths& paths, const std::string& mail)
{
    try {
        Command command{{paths.sendmail.string(), "-t"}};
        command.timeout = Milliseconds{120'000};
        command.input = mail;
        run(command);
    } catch (const std::exception& e) {
        log().error("{}", explain(e));
    }
}

/// What is seen in the middle of an attach or a define looks like trouble: wait for its end, but
/// not for long, as the alert may be about what makes it take so long.
std::optional<FileLock> wait_for_others(const Paths& paths, const std::string& pool)
{
    try {
        return lock_pool(paths, pool, Milliseconds{10'000});
    } catch (const std::exception& e) {
        log().info("{}", explain(e));
        return std::nullopt;
    }
}

AlertVerdict judge_of_pool(const Paths& paths, const MdAlert& alert, const PoolDefinition& pool,
                           const PoolView& view)
{
    AlertVerdict verdict = judge_alert(alert, member_of(paths, alert), view);
    verdict.why = fmt::format("pool '{}', {}: {}", pool.name, to_string(view.state()), verdict.why);
    return verdict;
}

} // namespace

AlertVerdict judge_alert(const MdAlert& alert, AlertMember member, const PoolView& view)
{
    if (!is_everyday(alert.event))
        return {true, "nothing that zraid does"};
    if (view.stray_array || view.stray_is_newer)
        return {true, "a leg is not where it should be"};
    if (view.image_fault != ImageFault::none)
        return {true, "the image was removed, replaced or cut"};
    if (view.in_doubt)
        return {true, "the disk leg may lack data, and was not compared yet"};
    if (view.array && !(view.disk && view.disk->in_sync))
        return {true, "the disk leg is lost"};
    if (view.array && view.state() == PoolState::inactive)
        return {true, "the array does not run"};
    if (alert.event.starts_with("Fail") && member != AlertMember::ram_leg)
        return {true, "the disk leg failed"};
    if (alert.component && alert.component->starts_with(' '))
        return {true, "there is more to tell"}; // mismatches that a check found
    return {false, "as it should be"};
}

AlertVerdict judge_alert(const Paths& paths, const MdAlert& alert)
{
    try {
        const auto number = array_number(paths, alert.device);
        if (!number)
            return {};
        for (const StoredPool& pool : PoolStore(paths).load_all()) {
            if (!pool.definition || pool.definition->md_number != *number)
                continue;
            const auto lock = wait_for_others(paths, pool.name);
            const PoolView view = view_pool(paths, *pool.definition);
            if (!view.number_taken)
                return judge_of_pool(paths, alert, *pool.definition, view);
        }
        return {};
    } catch (const std::exception& e) {
        return {true, explain(e)};
    }
}

bool is_mailed(const std::string& event)
{
    constexpr std::array<std::string_view, 4> begins{"Fail", "Test", "Spares", "Degrade"};
    return std::any_of(begins.begin(), begins.end(),
                       [&](std::string_view begin) { return event.starts_with(begin); });
}

std::string alert_mail(const Paths& paths, const MdAlert& alert, const MonitorSettings& settings,
                       const std::string& why)
{
    const std::string host = host_name();
    // The head is mdadm's, to the letter: filters of mail go by it.
    const std::string from = settings.mail_from.empty()
                                 ? fmt::format("mdadm monitoring <root@{}>", host)
                                 : settings.mail_from;
    const std::string head = fmt::format("From: {}\nTo: {}\nSubject: {} event on {}:{}\n\n", from,
                                         settings.mail_address, alert.event, alert.device, host);
    std::string text = fmt::format("mdadm on {} has seen this:\n\nEvent:     {}\nArray:     {}\n",
                                   host, alert.event, alert.device);
    if (alert.component && alert.component->starts_with(' '))
        text += fmt::format("Details:  {}\n", *alert.component);
    else if (alert.component)
        text += fmt::format("Component: {}\n", *alert.component);
    if (!why.empty())
        text += fmt::format("zraid:     {}\n           \"zraid-pool list\" tells more.\n", why);
    return head + text + "\n/proc/mdstat at this moment:\n\n" + mdstat(paths);
}

std::vector<std::string> handle_md_alert(const Paths& paths, const MdAlert& alert)
{
    const AlertVerdict verdict = judge_alert(paths, alert);
    if (!verdict.passed_on) {
        log().info("{}: {}; nobody is told", sentence(alert), verdict.why);
        return {};
    }
    log().info("{}: {}; passed on", sentence(alert),
               verdict.why.empty() ? "no array of zraid's" : verdict.why);
    const MonitorSettings settings = whom_to_tell(paths);
    if (is_mailed(alert.event) && !settings.mail_address.empty())
        send(paths, alert_mail(paths, alert, settings, verdict.why));
    if (settings.program.empty())
        return {};
    std::vector<std::string> words{settings.program, alert.event, alert.device};
    if (alert.component)
        words.push_back(*alert.component);
    return words;
}

} // namespace zraid
