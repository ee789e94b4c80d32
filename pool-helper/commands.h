#pragma once

#include "admin/admin.h"

#include <CLI/CLI.hpp>

namespace zraid::cli {

/// One function for each subcommand: declares its options and sets what it does. Each lives in the
/// file named after it.
void add_attach(CLI::App& app, const Admin& admin);
void add_budget(CLI::App& app, const Admin& admin);
void add_define(CLI::App& app, const Admin& admin);
void add_detach(CLI::App& app, const Admin& admin);
void add_disk_xml(CLI::App& app, const Admin& admin);
void add_doctor(CLI::App& app, const Admin& admin);
void add_dumpxml(CLI::App& app, const Admin& admin);
void add_events(CLI::App& app, const Admin& admin);
void add_import(CLI::App& app, const Admin& admin);
void add_info(CLI::App& app, const Admin& admin);
void add_list(CLI::App& app, const Admin& admin);
void add_mdadm_mail(CLI::App& app, const Admin& admin);
void add_recompress(CLI::App& app, const Admin& admin);
void add_repair(CLI::App& app, const Admin& admin);
void add_resize(CLI::App& app, const Admin& admin);
void add_scrub(CLI::App& app, const Admin& admin);
void add_start(CLI::App& app, const Admin& admin);
void add_stop(CLI::App& app, const Admin& admin);
void add_undefine(CLI::App& app, const Admin& admin);
void add_vol_create(CLI::App& app, const Admin& admin);
void add_vol_delete(CLI::App& app, const Admin& admin);
void add_vol_list(CLI::App& app, const Admin& admin);
void add_wait(CLI::App& app, const Admin& admin);

/// Adds a subcommand whose first argument is a pool's name; its name goes in front of its errors.
/// @param act called with the pool's name once the command line is read
CLI::App* add_pool_command(CLI::App& app, const std::string& name, const std::string& description,
                           std::function<void(const std::string&)> act);

/// What `start` and `stop` have in common: one pool, or --all of them; with libvirt's, or not.
struct Deed
{
    std::string name;        ///< of the subcommand
    std::string description; ///< in one line
    std::string done;        ///< "Pool 'x' is …"
    void (*act)(const Admin&, const std::string&);
    void (*act_on_array)(const Admin&, const std::string&);
};

/// With --all a pool that fails keeps no other waiting, and is told when all were tried.
void add_deed(CLI::App& app, const Admin& admin, const Deed& deed);

} // namespace zraid::cli
