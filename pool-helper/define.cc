#include "admin/define.h"

#include "commands.h"
#include "size_option.h"

#include <iostream>

#include <fmt/format.h>

namespace zraid::cli {

namespace {

struct Options
{
    DefineRequest request;
    std::string type = "disk";
    std::string attach = "on-demand";
    std::string writes = "cached";
    SizeOption size;
    SizeOption ram_limit;
    SizeOption bitmap_chunk;
    bool no_autostart = false;
    bool no_libvirt = false;
};

void act(const Admin& admin, Options& options, const std::string& name)
{
    DefineRequest& request = options.request;
    request.name = name;
    request.size = options.size.bytes();
    request.type = parse_pool_type(options.type);
    request.ram_limit = options.ram_limit.bytes();
    request.bitmap_chunk = options.bitmap_chunk.bytes();
    request.writes = parse_writes(options.writes);
    request.attach = parse_attach_policy(options.attach);
    request.autostart = !options.no_autostart;
    request.libvirt = !options.no_libvirt;
    const PoolDefinition pool = define_pool(admin, request);
    std::cout << fmt::format("Pool '{}' is defined: {} over '{}'.\n", pool.name, pool.md_device(),
                             pool.image);
}

} // namespace

void add_define(CLI::App& app, const Admin& admin)
{
    const auto options = std::make_shared<Options>();
    CLI::App* command = add_pool_command(
        app, "define", "make a pool: image, array, partition table, libvirt's storage pool",
        [&admin, options](const std::string& name) { act(admin, *options, name); });
    command->add_option("--image", options->request.image, "path of the image")
        ->type_name("PATH")
        ->required();
    options->size.add(*command, "--size",
                      "size of the image; needed where there is none yet, 16M to 16T");
    command->add_option("--type", options->type, "layout of the volumes: disk")
        ->capture_default_str();
    command
        ->add_option("--md", options->request.md_number,
                     "number of the array, /dev/mdN; default: the lowest free from 100 on")
        ->type_name("N");
    command
        ->add_option("--compressor", options->request.compressor,
                     "compressor of the RAM leg; default: the kernel's")
        ->type_name("ALG");
    command
        ->add_option("--recompressor", options->request.recompressor,
                     "stronger compressor for zraid-pool recompress (Linux 6.2)")
        ->type_name("ALG");
    options->ram_limit.add(*command, "--ram-limit",
                           "memory that the RAM leg's data may take; default: the image's size");
    command
        ->add_option("--attach", options->attach,
                     "when there is a RAM leg: on-demand (while a domain runs) or always")
        ->capture_default_str();
    command
        ->add_option("--writes", options->writes,
                     "what becomes of unflushed writes: cached (by the host) or through (to the "
                     "disk at once)")
        ->capture_default_str();
    command->add_flag("--required", options->request.ram_required,
                      "a domain does not start if the RAM leg cannot be had");
    options->bitmap_chunk.add(
        *command, "--bitmap-chunk",
        "bytes for each bit of md's bitmap; default: 4M, more for large images");
    command->add_option("--description", options->request.description, "a note for people")
        ->type_name("TEXT");
    command->add_flag("--preallocate", options->request.preallocate,
                      "allocate all of a new image now");
    command->add_flag("--no-autostart", options->no_autostart,
                      "libvirt does not start the storage pool by itself");
    command->add_flag("--no-libvirt", options->no_libvirt, "make no storage pool in libvirt");
}

} // namespace zraid::cli
