#include "adoption/release.h"

#include "admin/boot_units.h"
#include "adoption.h"
#include "progress.h"
#include "util/error.h"
#include "util/size.h"

#include <iostream>
#include <memory>

#include <fmt/core.h>

namespace zraid::cli {

namespace {

struct ReleaseOptions
{
    std::string domain;
    std::string target;
    bool dry_run = false;
};

void print_next(const std::vector<std::string>& remarks)
{
    for (const std::string& remark : remarks)
        std::cout << "Next: " << remark << '\n';
}

void print(const ReleasePlan& plan)
{
    const AdoptionRecord& record = plan.record;
    if (plan.has_file)
        std::cout << fmt::format("The disk is '{}' already.\n", record.image);
    else if (record.way == AdoptionWay::copied)
        std::cout << fmt::format("The disk is copied from '{}' to a new '{}' ({}).\n",
                                 record.pool.image, record.image, record.format);
    else
        std::cout << fmt::format("'{}' becomes '{}' again: {} in front of it are taken out, {} "
                                 "behind are cut off; nothing is copied.\n",
                                 record.pool.image, record.image, format_size(kAdoptedFront),
                                 format_size(record.pool.size - kAdoptedFront - record.size));
    if (!plan.disk.empty())
        std::cout << fmt::format("The domain's disk '{}' is then:\n    {}\n", record.target,
                                 plan.disk);
    std::cout << fmt::format("Pool '{}', {}, is taken away.\n", record.pool.name,
                             record.pool.md_device());
    print_next(plan.remarks);
    std::cout << "Nothing was changed.\n";
}

/// The bar ends its line before anything else is printed.
ReleaseReport release(const Admin& admin, const ReleaseOptions& options)
{
    ProgressBar bar(fmt::format("Disk '{}' is copied back", options.target));
    ReleaseReport report = release_disk(admin, options.domain, options.target,
                                        [&](double percent) { bar.show(percent); });
    renew_boot_units(admin.paths);
    return report;
}

void print(const ReleaseReport& report, const ReleaseOptions& options)
{
    std::cout << fmt::format("Disk '{}' of domain '{}' is '{}' again.\n", options.target,
                             options.domain, report.image);
    print_next(report.remarks);
}

void act(const Admin& admin, const ReleaseOptions& options)
{
    in_context(fmt::format("release disk '{}' of domain '{}'", options.target, options.domain),
               [&] {
                   if (options.dry_run)
                       print(plan_release(admin, options.domain, options.target));
                   else
                       print(release(admin, options), options);
               });
}

} // namespace

void add_release(CommandLine& program, const Admin& admin)
{
    const auto options = std::make_shared<ReleaseOptions>();
    Subcommand command = program.add_subcommand(
        "release", "give a domain back the image that was adopted, and take the pool away");
    command.callback([&admin, options] { act(admin, *options); });
    command.add_option("DOMAIN", options->domain, "name of the domain, shut off").required();
    command.add_option("TARGET", options->target, "name of its disk, such as vda").required();
    command.add_flag("--dry-run", options->dry_run, "tell what would be done, and change nothing");
}

} // namespace zraid::cli
