// The qemu hook: libvirt runs it as  zraid DOMAIN OPERATION SUB-OPERATION EXTRA < domain.xml
// (https://libvirt.org/hooks.html). Prints at most one line, on stderr; never anything on stdout,
// which libvirt would take for a domain XML.

#include "domains/domain_xml.h"
#include "domains/hook_operations.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/files.h"
#include "util/journal_sink.h"
#include "util/kept_lines.h"
#include "util/log.h"
#include "util/log_fields.h"
#include "util/paths.h"

#include <iostream>
#include <memory>
#include <span>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace zraid;

/// Everything goes to the journal, which keeps it where libvirt, content with the exit code, drops
/// what a hook said. Warnings are also collected, for the one line on stderr.
std::shared_ptr<KeptLines> set_up_log()
{
    auto warnings = std::make_shared<KeptLines>(8);
    log().set({{std::make_shared<JournalSink>("zraid-hook")}, {warnings, LogLevel::warning}});
    return warnings;
}

void print_warnings(const KeptLines& warnings)
{
    std::string line;
    for (const KeptLines::Line& warning : warnings.lines())
        line += (line.empty() ? "" : "; ") + warning.text;
    if (!line.empty())
        std::cerr << "zraid: warning: " << line << '\n';
}

std::string read_domain_xml()
{
    return read_all(STDIN_FILENO, "domain XML on stdin", kMaxDomainXml);
}

void act(HookAction action, const std::string& domain)
{
    const Paths paths = Paths::system();
    if (action == HookAction::prepare) {
        prepare_domain(paths, read_domain_xml());
        return;
    }
    if (action == HookAction::reconnect) {
        reconnect_domain(paths, read_domain_xml());
        return;
    }
    std::string xml; // empty: the domain is released by its name
    try {
        xml = read_domain_xml();
    } catch (const std::exception& e) {
        log().warn("{}", explain(e));
    }
    release_domain(paths, domain, xml);
}

} // namespace

int main(int argc, char** argv)
{
    open_standard_fds();
    const std::span arguments(argv, static_cast<std::size_t>(argc));
    if (arguments.size() < 4) {
        std::cerr << "zraid-hook: libvirt's arguments are missing: DOMAIN OPERATION SUB-OPERATION "
                     "EXTRA, the domain's XML on stdin\n";
        return 2;
    }
    const std::string domain = arguments[1];
    const HookAction action = hook_action(arguments[2], arguments[3]);
    if (action == HookAction::none)
        return 0;
    ::umask(077);
    const LogField field("DOMAIN", domain);
    try {
        const auto warnings = set_up_log();
        act(action, domain);
        print_warnings(*warnings);
        return 0;
    } catch (const std::exception& e) {
        log().error("domain '{}': {} {}: {}", domain, arguments[2], arguments[3], explain(e));
        std::cerr << "zraid: " << explain(e) << '\n';
        // A non-zero exit here would make libvirt kill the running domain.
        return action == HookAction::reconnect ? 0 : 1;
    }
}
