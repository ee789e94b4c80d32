#include "devices/mdadm.h"

#include "util/process.h"

#include <fmt/core.h>

namespace zraid {

void Mdadm::call(std::vector<std::string> arguments) const
{
    arguments.insert(arguments.begin(), "mdadm");
    Command command{std::move(arguments)};
    command.timeout = Milliseconds{60'000};
    if (lock_fd_ >= 0)
        command.keep_open = {lock_fd_};
    run(command);
}

void Mdadm::create(int number, const Uuid& uuid, const std::string& name, std::uint64_t chunk,
                   const std::string& disk_leg) const
{
    // Our own configuration switches bad-block lists off. mdadm puts the name of the host and a
    // colon in front of the array's, and from 4.4 on takes no name with a colon: so ours is made of
    // two.
    const std::size_t colon = name.find(':');
    call({"--create", node(number), "--run", "--quiet",
          "--config=" + (paths_.share / "mdadm.conf").string(), "--metadata=1.2", "--level=1",
          "--raid-devices=2", "--data-offset=1M", "--homehost=" + name.substr(0, colon),
          "--uuid=" + uuid.md_text(), "--name=" + name.substr(colon + 1), "--bitmap=internal",
          fmt::format("--bitmap-chunk={}K", chunk / 1024), "--write-mostly", node(disk_leg),
          "missing"});
}

void Mdadm::assemble(int number, const Uuid& uuid, const std::string& disk_leg) const
{
    call({"--assemble", node(number), "--run", "--quiet",
          "--config=" + (paths_.share / "mdadm.conf").string(), "--homehost=any",
          "--uuid=" + uuid.md_text(), node(disk_leg)});
}

void Mdadm::add(int number, const std::string& device) const
{
    call({"--manage", node(number), "--quiet", "--add", node(device)});
}

void Mdadm::grow(int number) const
{
    call({"--grow", node(number), "--size=max"});
}

void Mdadm::stop(int number) const
{
    call({"--stop", node(number)}); // --quiet would hide why it cannot
}

} // namespace zraid
