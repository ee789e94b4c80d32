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

#include <cstdio>
#include <iostream>
#include <memory>

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

void set_up_commands(cli::CommandLine& program, const Admin& admin)
{
    cli::add_define(program, admin);
    cli::add_undefine(program, admin);
    cli::add_adopt(program, admin);
    cli::add_release(program, admin);
    cli::add_import(program, admin);
    cli::add_start(program, admin);
    cli::add_stop(program, admin);
    cli::add_list(program, admin);
    cli::add_info(program, admin);
    cli::add_dumpxml(program, admin);
    cli::add_attach(program, admin);
    cli::add_detach(program, admin);
    cli::add_wait(program, admin);
    cli::add_scrub(program, admin);
    cli::add_recompress(program, admin);
    cli::add_repair(program, admin);
    cli::add_resize(program, admin);
    cli::add_events(program, admin);
    cli::add_vol_create(program, admin);
    cli::add_vol_list(program, admin);
    cli::add_vol_delete(program, admin);
    cli::add_disk_xml(program, admin);
    cli::add_budget(program, admin);
    cli::add_mdadm_mail(program, admin);
    cli::add_doctor(program, admin);
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
    set_up_commands(program, admin);

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
