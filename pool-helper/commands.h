#pragma once

#include "admin/admin.h"
#include "command_line.h"

#include <functional>
#include <string>

namespace zraid::cli {

/// One function for each subcommand: declares its options and sets what it does. Each lives in the
/// file named after it.
void add_attach(CommandLine& program, const Admin& admin);
void add_budget(CommandLine& program, const Admin& admin);
void add_define(CommandLine& program, const Admin& admin);
void add_detach(CommandLine& program, const Admin& admin);
void add_disk_xml(CommandLine& program, const Admin& admin);
void add_doctor(CommandLine& program, const Admin& admin);
void add_dumpxml(CommandLine& program, const Admin& admin);
void add_events(CommandLine& program, const Admin& admin);
void add_import(CommandLine& program, const Admin& admin);
void add_info(CommandLine& program, const Admin& admin);
void add_list(CommandLine& program, const Admin& admin);
void add_mdadm_mail(CommandLine& program, const Admin& admin);
void add_recompress(CommandLine& program, const Admin& admin);
void add_repair(CommandLine& program, const Admin& admin);
void add_resize(CommandLine& program, const Admin& admin);
void add_scrub(CommandLine& program, const Admin& admin);
void add_start(CommandLine& program, const Admin& admin);
void add_stop(CommandLine& program, const Admin& admin);
void add_undefine(CommandLine& program, const Admin& admin);
void add_vol_create(CommandLine& program, const Admin& admin);
void add_vol_delete(CommandLine& program, const Admin& admin);
void add_vol_list(CommandLine& program, const Admin& admin);
void add_wait(CommandLine& program, const Admin& admin);

/// Adds a subcommand whose first argument is a pool's name; its name goes in front of its errors.
/// @param act called with the pool's name once the command line is read
Subcommand add_pool_command(CommandLine& program, const std::string& name,
                            const std::string& description,
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
void add_deed(CommandLine& program, const Admin& admin, const Deed& deed);

} // namespace zraid::cli
