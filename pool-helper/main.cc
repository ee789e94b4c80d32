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

#include <fmt/core.h>
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

void set_up_commands(CLI::App& app, const Admin& admin)
{
    cli::add_define(app, admin);
    cli::add_undefine(app, admin);
    cli::add_adopt(app, admin);
    cli::add_release(app, admin);
    cli::add_import(app, admin);
    cli::add_start(app, admin);
    cli::add_stop(app, admin);
    cli::add_list(app, admin);
    cli::add_info(app, admin);
    cli::add_dumpxml(app, admin);
    cli::add_attach(app, admin);
    cli::add_detach(app, admin);
    cli::add_wait(app, admin);
    cli::add_scrub(app, admin);
    cli::add_recompress(app, admin);
    cli::add_repair(app, admin);
    cli::add_resize(app, admin);
    cli::add_events(app, admin);
    cli::add_vol_create(app, admin);
    cli::add_vol_list(app, admin);
    cli::add_vol_delete(app, admin);
    cli::add_disk_xml(app, admin);
    cli::add_budget(app, admin);
    cli::add_mdadm_mail(app, admin);
    cli::add_doctor(app, admin);
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

    CLI::App app("Mirrors disk images of virtual machines into compressed RAM.", "zraid-pool");
    app.set_help_flag("-h,--help", "tell what there is"); // commands take it over
    app.set_version_flag("--version", ZRAID_VERSION, "tell the version");
    app.add_option("-c,--connect", admin.uri, "URI of libvirt")
        ->envname("LIBVIRT_DEFAULT_URI")
        ->capture_default_str();
    app.add_flag("-v,--verbose", verbose, "tell every step on stderr");
    app.require_subcommand(1);
    app.parse_complete_callback([&] { before_acting(verbose); });
    set_up_commands(app, admin);

    try {
        app.parse(argc, argv);
        return all_is_printed() ? 0 : 1;
    } catch (const CLI::ParseError& e) {
        if (e.get_exit_code() == 0) { // --help, --version
            app.exit(e);
            return all_is_printed() ? 0 : 1;
        }
        const auto words = app.remaining();
        const bool unknown = app.get_subcommands().empty() && !words.empty();
        cli::print_error(
            (unknown ? fmt::format("there is no command '{}'", words.front()) : e.what()) +
            ". Next: zraid-pool --help, or --help behind a command, lists what there is");
        return 2;
    } catch (const std::exception& e) {
        return report(e);
    }
}
