// zraid-monitor: looks after the pools while nobody else does. Everything it does is in the
// library; this reads the command line and sets up the log.

#include "command_line.h"
#include "config.h"
#include "monitor/monitor.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/journal_sink.h"
#include "util/log.h"
#include "util/stderr_sink.h"

#include <iostream>
#include <memory>
#include <vector>

#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace zraid;

/// Everything to the journal; to stderr only for whoever runs it on a terminal.
void set_up_log()
{
    std::vector<Log::Target> targets{{std::make_shared<JournalSink>("zraid-monitor")}};
    if (::isatty(STDERR_FILENO) == 1)
        targets.push_back({std::make_shared<StderrSink>("zraid-monitor")});
    log().set(std::move(targets));
}

int once(const Admin& admin)
{
    const RoundResult result = look_once(admin);
    for (const std::string& line : result.done)
        std::cout << line << '\n';
    for (const std::string& line : result.trouble)
        std::cerr << "zraid-monitor: " << line << '\n';
    return result.trouble.empty() ? 0 : 1;
}

} // namespace

int main(int argc, char** argv)
{
    open_standard_fds();
    Admin admin;
    admin.paths = Paths::system();
    bool only_once = false;
    cli::CommandLine program(
        "Looks after zraid's pools: takes failed legs back, finishes what was interrupted.",
        "zraid-monitor");
    program.add_version(ZRAID_VERSION, "Display program version information and exit");
    program.add_option("-c,--connect", admin.uri, "URI of libvirt")
        .envname("LIBVIRT_DEFAULT_URI")
        .capture_default_str();
    program.add_flag("--once", only_once, "look at every pool once, do what is due, and end");
    try {
        if (!program.parse(argc, argv))
            return 0;
        if (::geteuid() != 0)
            throw Error("zraid-monitor needs to be root", "run it with sudo");
        ::umask(077);
        set_up_log();
        // Its memory is never freed by writing to a pool that waits for it (prctl(2)); a kernel
        // that does not know this works as before.
        (void)::prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0); // NOLINT(*-vararg)
        if (only_once)
            return once(admin);
        monitor_pools(admin);
    } catch (const cli::CommandLineError& e) {
        std::cerr << e.what() << "\nRun with --help for more information.\n";
        return 2;
    } catch (const std::exception& e) {
        log().critical("{}", explain(e));
        std::cerr << "zraid-monitor: " << explain(e) << '\n';
        return exit_code(e);
    }
}
