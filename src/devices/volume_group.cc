#include "devices/volume_group.h"

#include "util/error.h"
#include "util/files.h"
#include "util/process.h"

#include <sstream>

#include <fmt/core.h>

namespace zraid {

namespace {

constexpr int kUnknownOption = 3; // exit codes: lvm2, lib/commands/errors.h
constexpr int kFailed = 5;

/// LVM's --config: sees this device alone, and starts no daemon that would outlive the call.
std::string config_for(const std::string& device)
{
    return fmt::format("devices {{ global_filter=[ \"a|^{}$|\", \"r|.*|\" ] filter=[ \"a|.*|\" ] "
                       "use_devicesfile=0 obtain_device_list_from_udev=0 }} "
                       "activation {{ monitoring=0 }}",
                       device);
}

std::string with_doubled_dashes(const std::string& name)
{
    std::string text;
    for (const char c : name)
        text += c == '-' ? std::string("--") : std::string(1, c);
    return text;
}

CommandResult run_lvm(const std::string& program, const std::string& device,
                      std::vector<std::string> arguments, std::vector<int> accepted = {0})
{
    Command command{{program, "--config", config_for(device)}};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    command.timeout = Milliseconds{60'000};
    command.accepted = std::move(accepted);
    return run(command);
}

} // namespace

std::string VolumeGroup::call(const std::string& program, std::vector<std::string> arguments) const
{
    return run_lvm(program, device_, std::move(arguments)).out;
}

std::optional<std::string> VolumeGroup::found() const
{
    // Without a device in its arguments it lists what it sees, which is at most this one.
    std::istringstream words(call("pvs", {"--noheadings", "--options", "pv_name,vg_name"}));
    std::string device;
    std::string group;
    if (!(words >> device))
        return std::nullopt;
    words >> group;
    return group;
}

void VolumeGroup::make() const
{
    // Without --yes LVM refuses a device that has any signature.
    const auto begin = [&](std::vector<std::string> more, std::vector<int> accepted) {
        more.insert(more.end(), {name_, device_});
        return run_lvm("vgcreate", device_, std::move(more), std::move(accepted)).exit_code;
    };
    // Kept from those who activate what they see, where LVM has that (2.03.12).
    if (begin({"--setautoactivation", "n"}, {0, kUnknownOption}) == kUnknownOption)
        begin({}, {0});
}

void VolumeGroup::activate() const
{
    call("vgchange", {"--activate", "y", "--poll", "n", name_});
}

void VolumeGroup::deactivate() const
{
    call("vgchange", {"--activate", "n", name_});
}

std::vector<std::string> VolumeGroup::open_volumes() const
{
    std::istringstream lines(
        call("lvs", {"--noheadings", "--options", "lv_name,lv_device_open", name_}));
    std::vector<std::string> volumes;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string name;
        std::string open;
        if (words >> name >> open && open == "open")
            volumes.push_back(name);
    }
    return volumes;
}

void VolumeGroup::grow() const
{
    call("pvresize", {device_});
}

void VolumeGroup::extend(const std::string& volume) const
{
    std::istringstream words(call("vgs", {"--noheadings", "--options", "vg_free_count", name_}));
    std::string free;
    words >> free;
    if (free != "0") // with nothing free it would be an error
        call("lvextend", {"--extents", "+100%FREE", name_ + "/" + volume});
}

std::vector<std::string> devices_of_volume_group(const std::string& name)
{
    const Command command{
        {"vgs", "--noheadings", "--options", "pv_name", name}, Milliseconds{60'000}, {0, kFailed}};
    std::istringstream words(run(command).out);
    std::vector<std::string> devices;
    for (std::string device; words >> device;)
        devices.push_back(device);
    return devices;
}

std::string hidden_group_advice(const std::string& device)
{
    return fmt::format("let it in: \"a|^{0}$|\" as the first of global_filter and filter in "
                       "/etc/lvm/lvm.conf; or lvmdevices --adddev {0}, where LVM keeps a list of "
                       "devices",
                       device);
}

std::string mapper_name(const std::string& group, const std::string& volume)
{
    return with_doubled_dashes(group) + '-' + with_doubled_dashes(volume);
}

std::optional<std::string> volume_in_mapper_name(const std::string& group, const std::string& name)
{
    const std::string prefix = with_doubled_dashes(group) + '-';
    if (!name.starts_with(prefix))
        return std::nullopt;
    std::string volume;
    for (std::size_t at = prefix.size(); at < name.size(); ++at) {
        if (name[at] == '-' && name.compare(at, 2, "--") != 0)
            return std::nullopt; // a single dash ends the group's name, and there was one already
        if (name[at] == '-')
            ++at;
        volume += name[at];
    }
    // A volume's name does not begin with a dash: it was one of the group's.
    if (volume.empty() || volume.front() == '-')
        return std::nullopt;
    return volume;
}

std::set<std::string> active_volumes(const Paths& paths, const std::string& device,
                                     const std::string& group)
{
    std::set<std::string> volumes;
    for (const std::string& holder : entries_of(paths.block(device) / "holders")) {
        const auto name = read_attribute(paths.block(holder) / "dm/name");
        if (const auto volume = name ? volume_in_mapper_name(group, *name) : std::nullopt)
            volumes.insert(*volume);
    }
    return volumes;
}

} // namespace zraid
