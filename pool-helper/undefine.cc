#include "admin/define.h"
#include "commands.h"

#include <iostream>

#include <fmt/format.h>

namespace zraid::cli {

void add_undefine(CLI::App& app, const Admin& admin)
{
    const auto remove_image = std::make_shared<bool>(false);
    CLI::App* command =
        add_pool_command(app, "undefine", "take a pool away; its image stays unless told otherwise",
                         [&admin, remove_image](const std::string& name) {
                             undefine_pool(admin, name, *remove_image);
                             std::cout << fmt::format("Pool '{}' is no longer defined.\n", name);
                         });
    command->add_flag("--remove-image", *remove_image, "remove the image with all that is in it");
}

} // namespace zraid::cli
