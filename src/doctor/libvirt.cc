#include "doctor/looks.h"
#include "libvirt/connection.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/files.h"
#include "util/wait.h"

#include <algorithm>
#include <future>
#include <set>
#include <sstream>
#include <thread>

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zraid::doctor {

namespace {

/// The daemons that call the qemu hook.
constexpr const char* kDaemons[] = {"libvirtd", "virtqemud"};

/// How long libvirt's daemon may take.
constexpr Milliseconds kAnswer{15'000};

/// The number behind a word at the beginning of a line, as in /proc/stat.
long number_behind(const std::string& text, const std::string& word)
{
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(word + " "))
            return std::stol(line.substr(word.size()));
    }
    throw Error(fmt::format("there is no '{}'", word));
}

/// When a process started, seconds since 1970: its start is counted in clock ticks since the
/// system's (proc(5)).
std::time_t start_of(const Paths& paths, pid_t process)
{
    const std::string stat = read_file(paths.proc / std::to_string(process) / "stat");
    // The name may hold anything; fields are counted from behind it: starttime is the 22nd.
    std::istringstream fields(stat.substr(stat.rfind(')') + 1));
    std::string field;
    for (int number = 3; number <= 22; ++number)
        fields >> field;
    return number_behind(read_file(paths.proc / "stat"), "btime") +
           std::stol(field) / ::sysconf(_SC_CLK_TCK);
}

/// libvirt looks for hooks when its daemon starts (https://libvirt.org/hooks.html).
Findings look_at_daemons(const Paths& paths, std::time_t installed)
{
    Findings found;
    for (const char* name : kDaemons) {
        for (const pid_t process : processes_named(paths, name)) {
            // What is rounded down may be a second too early.
            if (start_of(paths, process) + 1 >= installed)
                found.push_back(
                    {Severity::good, "hook", fmt::format("{} was started behind it", name), ""});
            else
                found.push_back({Severity::warning, "hook",
                                 fmt::format("{} runs since before it was installed: if that was "
                                             "the first time, domains start without it",
                                             name),
                                 fmt::format("systemctl restart {}; domains go on running", name)});
        }
    }
    return found;
}

Findings look_at_hook(const Paths& paths)
{
    struct stat status
    {
    };
    if (::stat(paths.hook.c_str(), &status) != 0)
        return {{Severity::error, "hook", fmt::format("'{}' is not there", paths.hook.string()),
                 "install zraid again, then restart libvirt's daemon"}};
    if ((status.st_mode & 0111U) == 0)
        return {{Severity::error, "hook",
                 fmt::format("'{}' is not executable: libvirt passes over it", paths.hook.string()),
                 fmt::format("chmod 755 {}", paths.hook.string())}};
    if ((status.st_mode & 0022U) != 0)
        return {{Severity::error, "hook",
                 fmt::format("others than root may write to '{}', which root runs",
                             paths.hook.string()),
                 fmt::format("see that nobody did, then chmod 755 {}", paths.hook.string())}};
    Findings found{{Severity::good, "hook", paths.hook.string(), ""}};
    for (Finding& finding : look_at_daemons(paths, status.st_ctime))
        found.push_back(std::move(finding));
    return found;
}

Finding look_at_storage_pool(const LibvirtConnection& libvirt, const PoolDefinition& pool)
{
    const std::string subject = fmt::format("pool '{}'", pool.name);
    const auto known = libvirt.find_pool(pool.name);
    const std::string start = fmt::format("zraid-pool start {}", pool.name);
    if (!known)
        return {Severity::error, subject, "libvirt has no storage pool of that name", start};
    if (known->uuid != pool.uuid)
        return {Severity::error, subject, "libvirt's storage pool of that name is another one",
                "rename that one"};
    if (!known->active)
        return {pool.settings.autostart ? Severity::warning : Severity::note, subject,
                "its storage pool is not active", start};
    return {Severity::good, subject, "its storage pool is active", ""};
}

Findings look_at_backends(const LibvirtConnection& libvirt, const std::vector<StoredPool>& pools)
{
    std::set<std::string> wanted{"disk"}; // what define makes if nothing is said
    for (const StoredPool& pool : pools) {
        if (pool.definition && pool.definition->settings.libvirt)
            wanted.insert(to_string(pool.definition->type));
    }
    Findings found;
    std::set<std::string> types;
    try {
        types = libvirt.pool_types();
    } catch (const std::exception& e) { // a driver that cannot say
        return {{Severity::note, "libvirt", explain(e), ""}};
    }
    for (const std::string& type : wanted) {
        if (!types.contains(type))
            found.push_back({Severity::error, "libvirt",
                             fmt::format("it has no backend for storage pools of type {}", type),
                             fmt::format("apt install libvirt-daemon-driver-storage-{}, then "
                                         "restart libvirt's daemon",
                                         type)});
    }
    return found;
}

Findings ask_libvirt(const Admin& admin)
{
    Findings found;
    try {
        const LibvirtConnection libvirt(admin.uri);
        const auto pools = PoolStore(admin.paths).load_all();
        found.push_back({Severity::good, "libvirt", fmt::format("{} answers", admin.uri), ""});
        for (Finding& finding : look_at_backends(libvirt, pools))
            found.push_back(std::move(finding));
        for (const StoredPool& pool : pools) {
            if (pool.definition && pool.definition->settings.libvirt)
                found.push_back(look_at_storage_pool(libvirt, *pool.definition));
        }
    } catch (const std::exception& e) {
        found.push_back({Severity::error, "libvirt", explain(e), ""});
    }
    return found;
}

} // namespace

std::set<pid_t> processes_named(const Paths& paths, const std::string& name)
{
    std::set<pid_t> found;
    for (const std::string& entry : entries_of(paths.proc)) {
        if (entry.find_first_not_of("0123456789") != std::string::npos)
            continue;
        // It may end while we look.
        if (read_attribute(paths.proc / entry / "comm").value_or("") == name.substr(0, 15))
            found.insert(std::stoi(entry));
    }
    return found;
}

Findings look_at_libvirt(const Admin& admin)
{
    Findings found = look_at_hook(admin.paths);
    // libvirt's library has no time limit; a daemon that is stopped is what doctor is to tell of.
    std::packaged_task<Findings()> question([admin] { return ask_libvirt(admin); });
    std::future<Findings> answer = question.get_future();
    std::thread(std::move(question)).detach();
    if (answer.wait_for(kAnswer) != std::future_status::ready) {
        found.push_back(
            {Severity::error, "libvirt",
             fmt::format("{} does not answer within {} s", admin.uri, kAnswer.count() / 1000),
             "see what its daemon does; systemctl restart libvirtd, domains go on "
             "running"});
        return found;
    }
    for (Finding& finding : answer.get())
        found.push_back(std::move(finding));
    return found;
}

} // namespace zraid::doctor
