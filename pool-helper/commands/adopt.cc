#include "adoption/adopt.h"

#include "admin/boot_units.h"
#include "adoption.h"
#include "domains/references.h"
#include "pool_options.h"
#include "progress.h"
#include "util/error.h"
#include "util/size.h"

#include <iostream>
#include <memory>

#include <fmt/core.h>

namespace zraid::cli {

namespace {

struct AdoptOptions
{
    AdoptRequest request;
    PoolOptions pool;
    bool dry_run = false;
};

void print(const AdoptionPlan& plan)
{
    const AdoptionRecord& record = plan.record;
    const PoolDefinition& pool = record.pool;
    std::cout << fmt::format("Pool '{}': {}, {} of image, volume {}.\n", pool.name,
                             pool.md_device(), format_size(pool.size), record.device());
    if (record.phase == AdoptionPhase::adopted)
        std::cout << "It has the disk already.\n";
    else if (plan.is_begun)
        std::cout << "It was begun before, and would be finished.\n";
    else if (record.way == AdoptionWay::copied)
        std::cout << fmt::format("'{}' is made, and {} at most are copied into it from '{}' "
                                 "({}).\n"
                                 "'{}' becomes '{}' and is kept.\n",
                                 pool.image, format_size(plan.to_copy), record.image, record.format,
                                 record.image, kept_image_path(record.image));
    else
        std::cout << fmt::format(
            "'{}' becomes '{}'.\n"
            "{} are inserted in front of it, {} are added behind; nothing is copied.\n",
            record.image, pool.image, format_size(kAdoptedFront),
            format_size(pool.size - kAdoptedFront - record.size));
    std::cout << fmt::format("The domain's disk '{}' is now:\n    {}\nand becomes:\n    {}\n"
                             "Nothing was changed.\n",
                             record.target, record.disk_xml, plan.new_disk);
}

void print(const AdoptionRecord& record)
{
    std::cout << fmt::format("Disk '{}' of domain '{}' is on pool '{}': {} over '{}'.\n",
                             record.target, record.domain, record.pool.name, record.device(),
                             record.pool.image);
    if (record.way == AdoptionWay::copied)
        std::cout << fmt::format("The disk as it was is kept: '{}'. Delete it when the domain "
                                 "works.\n"
                                 "zraid-pool release {} {} copies the disk back to '{}'.\n",
                                 kept_image_path(record.image), record.domain, record.target,
                                 record.image);
    else
        std::cout << fmt::format("Its old name, '{}', is free until zraid-pool release {} {} "
                                 "undoes it.\n",
                                 record.image, record.domain, record.target);
}

AdoptionRecord adopt(const Admin& admin, const AdoptRequest& request)
{
    ProgressBar bar(fmt::format("Disk '{}' is copied", request.target));
    AdoptionRecord record = adopt_disk(admin, request, [&](double percent) { bar.show(percent); });
    renew_boot_units(admin.paths);
    return record;
}

void act(const Admin& admin, AdoptOptions& options)
{
    AdoptRequest& request = options.request;
    options.pool.read_into(request.pool);
    request.pool.avoided_numbers = md_numbers_of_domains(admin.paths);
    in_context(fmt::format("adopt disk '{}' of domain '{}'", request.target, request.domain), [&] {
        if (options.dry_run)
            print(plan_adoption(admin, request));
        else
            print(adopt(admin, request));
    });
}

} // namespace

void add_adopt(CommandLine& program, const Admin& admin)
{
    const auto options = std::make_shared<AdoptOptions>();
    DefineRequest& pool = options->request.pool;
    Subcommand command =
        program.add_subcommand("adopt", "take the image of a domain into a pool of its own");
    command.callback([&admin, options] { act(admin, *options); });
    command.add_option("DOMAIN", options->request.domain, "name of the domain, shut off")
        .required();
    command.add_option("TARGET", options->request.target, "name of its disk, such as vda")
        .required();
    command.add_option("--name", pool.name, "name of the pool; default: DOMAIN-TARGET")
        .type_name("POOL");
    command.add_flag("--copy", options->request.copy,
                     "copy the image into a new one and keep it; where it cannot be taken in "
                     "place");
    command.add_flag("--convert", options->request.convert,
                     "copy a qcow2 image into a raw one and keep it");
    command.add_flag("--dry-run", options->dry_run, "tell what would be done, and change nothing");
    options->pool.add(command, pool);
}

} // namespace zraid::cli
