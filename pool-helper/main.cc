// zraid-pool: the administrator's command. Reads the command line and calls the library; each
// subcommand is in its own file.

#include "adoption.h"
#include "commands.h"
#include "config.h"
#include "style.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/journal_sink.h"
#include "util/log.h"
#include "util/stderr_sink.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string_view>

#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace zraid;

/// Warnings and, if asked for, debugging go to stderr; the journal keeps what happened.
void set_up_log(bool verbose)
{
    log().set({{std::make_shared<StderrSink>("zraid-pool"),
                verbose ? LogLevel::debug : LogLevel::warning},
               {std::make_shared<JournalSink>("zraid-pool")}});
}

struct Command
{
    std::string_view name;
    void (*add)(cli::CommandLine&, const Admin&);
};

constexpr std::array kCommands{
    Command{"define", cli::add_define},
    Command{"undefine", cli::add_undefine},
    Command{"adopt", cli::add_adopt},
    Command{"release", cli::add_release},
    Command{"import", cli::add_import},
    Command{"start", cli::add_start},
    Command{"stop", cli::add_stop},
    Command{"list", cli::add_list},
    Command{"info", cli::add_info},
    Command{"dumpxml", cli::add_dumpxml},
    Command{"attach", cli::add_attach},
    Command{"detach", cli::add_detach},
    Command{"wait", cli::add_wait},
    Command{"scrub", cli::add_scrub},
    Command{"recompress", cli::add_recompress},
    Command{"repair", cli::add_repair},
    Command{"resize", cli::add_resize},
    Command{"events", cli::add_events},
    Command{"vol-create", cli::add_vol_create},
    Command{"vol-list", cli::add_vol_list},
    Command{"vol-delete", cli::add_vol_delete},
    Command{"disk-xml", cli::add_disk_xml},
    Command{"budget", cli::add_budget},
    Command{"mdadm-mail", cli::add_mdadm_mail},
    Command{"doctor", cli::add_doctor},
};

/// The one that the command line begins with, or all: to declare the options of all takes two
/// fifths of what it takes to start.
void set_up_commands(cli::CommandLine& program, const Admin& admin, std::string_view first_word)
{
    const auto* const wanted =
        std::find_if(kCommands.begin(), kCommands.end(),
                     [&](const Command& command) { return command.name == first_word; });
    if (wanted != kCommands.end())
        return wanted->add(program, admin);
    for (const Command& command : kCommands)
        command.add(program, admin);
}

/// The first thing of every command that is about to act; --help and --version need no root.
void before_acting(bool verbose)
{
    set_up_log(verbose);
    if (::geteuid() != 0)
        throw Error("zraid-pool needs to be root", "run it with sudo");
    ::umask(077);
}

/// Did all output arrive? The stream forgets an error of the C file below it on some builds.
bool all_is_printed()
{
    std::cout.flush();
    return std::cout.good() && std::ferror(stdout) == 0;
}

int report(const std::exception& e)
{
    // info: for the journal, not for the terminal, which gets it from the next line.
    log().info("failed: {}", explain(e));
    cli::print_error(explain(e));
    return exit_code(e);
}

} // namespace

int main(int argc, char** argv)
{
    open_standard_fds();
    Admin admin;
    admin.paths = Paths::system();
    bool verbose = false;

    cli::CommandLine program("Mirrors disk images of virtual machines into compressed RAM.",
                             "zraid-pool");
    program.describe_help("tell what there is"); // commands take it over
    program.add_version(ZRAID_VERSION, "tell the version");
    program.add_option("-c,--connect", admin.uri, "URI of libvirt")
        .envname("LIBVIRT_DEFAULT_URI")
        .capture_default_str();
    program.add_flag("-v,--verbose", verbose, "tell every step on stderr");
    program.require_subcommand();
    program.before_acting([&] { before_acting(verbose); });
    set_up_commands(program, admin, argc > 1 ? argv[1] : ""); // NOLINT(*-pointer-arithmetic)

    try {
        program.parse(argc, argv);
        return all_is_printed() ? 0 : 1;
    } catch (const cli::CommandLineError& e) {
        cli::print_error(std::string(e.what()) +
                         ". Next: zraid-pool --help, or --help behind a command, lists what there "
                         "is");
        return 2;
    } catch (const std::exception& e) {
        return report(e);
    }
}
