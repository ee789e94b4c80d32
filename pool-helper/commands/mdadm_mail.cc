#include "admin/mdadm_mail.h"

#include "commands.h"
#include "util/error.h"
#include "util/json.h"

#include <iostream>
#include <memory>

#include <fmt/core.h>

namespace zraid::cli {

namespace {

std::string or_nobody(const std::string& text)
{
    return text.empty() ? "-" : text;
}

void print(const MdadmMailReport& report)
{
    switch (report.route) {
    case AlertRoute::nobody:
        std::cout << "mdadm tells nobody of any array: its configuration has neither MAILADDR nor "
                     "PROGRAM.\n";
        return;
    case AlertRoute::direct:
        std::cout << "Not filtered: mdadm tells of every array itself.\n";
        break;
    case AlertRoute::filtered:
        std::cout << "Filtered: mdadm tells zraid-md-alert, which passes on what matters.\n";
        break;
    case AlertRoute::mixed:
        std::cout << fmt::format("Partly filtered: {}. Next: zraid-pool mdadm-mail filter\n",
                                 report.problem);
        break;
    }
    std::cout << fmt::format("Mail to: {}\nProgram: {}\n",
                             or_nobody(report.administrator.mail_address),
                             or_nobody(report.administrator.program));
}

void print_changes(const MdadmMailReport& report)
{
    if (report.changed.empty())
        return;
    for (const auto& file : report.changed)
        std::cout << fmt::format("Changed: {}\n", file.string());
    std::cout << "A monitor that runs read the old file. Next: systemctl try-restart "
                 "mdmonitor.service\n";
}

const char* word_for(AlertRoute route)
{
    switch (route) {
    case AlertRoute::direct:
        return "direct";
    case AlertRoute::filtered:
        return "filtered";
    case AlertRoute::mixed:
        return "mixed";
    case AlertRoute::nobody:
        break;
    }
    return "nobody";
}

void print_json(const MdadmMailReport& report)
{
    Json changed = Json::array();
    for (const auto& file : report.changed)
        changed.push_back(file.string());
    const Json object = {{"route", word_for(report.route)},
                         {"mail", text_or_null(report.administrator.mail_address)},
                         {"program", text_or_null(report.administrator.program)},
                         {"problem", text_or_null(report.problem)},
                         {"changed", changed}};
    std::cout << object.dump(2) << '\n';
}

void configure_mail(const Admin& admin, const std::string& action, bool json)
{
    MdadmMailReport report;
    if (action == "filter")
        report = filter_mdadm_mail(admin.paths);
    else if (action == "restore")
        report = restore_mdadm_mail(admin.paths);
    else if (action == "status")
        report = report_mdadm_mail(admin.paths);
    else
        throw UsageError(fmt::format("there is no action '{}'", action),
                         "give one of filter, restore, status");
    if (json)
        return print_json(report);
    print(report);
    print_changes(report);
}

} // namespace

void add_mdadm_mail(CommandLine& program, const Admin& admin)
{
    const auto action = std::make_shared<std::string>();
    Subcommand command =
        program.add_subcommand("mdadm-mail", "keep mdadm from mail about pools that are well");
    command.add_option("ACTION", *action, "filter, restore or status").required();
    const auto json = std::make_shared<bool>(false);
    command.add_flag("--json", *json, "for programs");
    command.callback([&admin, action, json] { configure_mail(admin, *action, *json); });
}

} // namespace zraid::cli
