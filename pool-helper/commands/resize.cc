#include "admin/resize.h"

#include "commands.h"
#include "util/size.h"

#include <iostream>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zraid::cli {

namespace {

void print(const ResizeRequest& request, const ResizeReport& report)
{
    std::cout << fmt::format("Pool '{}' has {}.\n", request.pool, format_size(report.size));
    if (!report.told.empty())
        std::cout << fmt::format("Larger disks are known to: {}\n", fmt::join(report.told, ", "));
    for (const std::string& remark : report.remarks)
        std::cout << "Next: " << remark << '\n';
}

} // namespace

void add_resize(CommandLine& program, const Admin& admin)
{
    struct Options
    {
        std::string size;
        std::string volume;
    };
    const auto options = std::make_shared<Options>();
    Subcommand command = add_pool_command(
        program, "resize", "make a pool larger, also while it is used",
        [&admin, options](const std::string& name) {
            const ResizeRequest request{name, parse_size(options->size), options->volume};
            print(request, resize_pool(admin, request));
        });
    command.add_option("SIZE", options->size, "of its image then, such as 20G").required();
    command
        .add_option("--volume", options->volume,
                    "this volume gets the space that is free (a partition: behind it)")
        .type_name("VOLUME");
}

} // namespace zraid::cli
