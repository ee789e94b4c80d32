#include "admin/define.h"

#include "admin/boot_units.h"
#include "commands.h"
#include "domains/references.h"
#include "pool_options.h"
#include "size_option.h"

#include <iostream>

#include <fmt/core.h>

namespace zraid::cli {

namespace {

struct DefineOptions
{
    DefineRequest request;
    std::string type = "disk";
    std::string target;
    PoolOptions pool;
    SizeOption size;
    bool no_autostart = false;
    bool no_libvirt = false;
};

void act(const Admin& admin, DefineOptions& options, const std::string& name)
{
    DefineRequest& request = options.request;
    request.name = name;
    request.size = options.size.bytes();
    request.type = parse_pool_type(options.type);
    if (!options.target.empty())
        request.target = options.target;
    options.pool.read_into(request);
    request.settings.autostart = !options.no_autostart;
    request.settings.libvirt = !options.no_libvirt;
    request.avoided_numbers = md_numbers_of_domains(admin.paths);
    const PoolDefinition pool = define_pool(admin, request);
    renew_boot_units(admin.paths);
    std::cout << fmt::format("Pool '{}' is defined: {} over '{}'.\n", pool.name, pool.md_device(),
                             pool.image);
}

} // namespace

void add_define(CommandLine& program, const Admin& admin)
{
    const auto options = std::make_shared<DefineOptions>();
    Subcommand command = add_pool_command(
        program, "define", "make a pool: image, array, place for volumes, libvirt's storage pool",
        [&admin, options](const std::string& name) { act(admin, *options, name); });
    command
        .add_option("--image", options->request.image,
                    "path of the image: a file, or a block device")
        .type_name("PATH")
        .required();
    options->size.add(command, "--size",
                      "size of the image; needed where there is none yet, 16M to 16T");
    command
        .add_option("--type", options->type,
                    "layout: disk (volumes are partitions), logical (logical volumes), fs "
                    "(files) or whole (none: a domain has the array)")
        .capture_default_str();
    command
        .add_option("--target", options->target,
                    "where a pool of type fs is mounted; default: /var/lib/libvirt/images/POOL")
        .type_name("PATH");
    command
        .add_option("--md", options->request.md_number,
                    "number of the array, /dev/mdN; default: the lowest free from 100 on")
        .type_name("N");
    options->pool.add(command, options->request);
    command
        .add_option("--recompressor", options->request.settings.recompressor,
                    "stronger compressor for zraid-pool recompress (Linux 6.2)")
        .type_name("ALG");
    command.add_flag("--preallocate", options->request.preallocate,
                     "allocate all of a new image now");
    command.add_flag("--no-autostart", options->no_autostart,
                     "libvirt does not start the storage pool by itself");
    command.add_flag("--no-libvirt", options->no_libvirt, "make no storage pool in libvirt");
}

} // namespace zraid::cli
