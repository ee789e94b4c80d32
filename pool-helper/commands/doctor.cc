#include "doctor/doctor.h"

#include "commands.h"
#include "style.h"
#include "util/error.h"

#include <algorithm>
#include <iostream>

#include <fmt/core.h>

namespace zraid::cli {

namespace {

Mood mood_of_finding(Severity severity)
{
    switch (severity) {
    case Severity::good:
        return Mood::good;
    case Severity::warning:
        return Mood::warning;
    case Severity::error:
        return Mood::bad;
    case Severity::note:
        break;
    }
    return Mood::plain;
}

void print(const Findings& findings)
{
    for (const Finding& finding : findings) {
        const std::string word = fmt::format("{:<8}", to_string(finding.severity));
        std::cout << styled(word, mood_of_finding(finding.severity))
                  << fmt::format("{}: {}\n", finding.subject, finding.what);
        if (!finding.next.empty())
            std::cout << fmt::format("{:8}Next: {}\n", "", finding.next);
    }
}

} // namespace

void add_doctor(CommandLine& program, const Admin& admin)
{
    const auto json = std::make_shared<bool>(false);
    Subcommand command =
        program.add_subcommand("doctor", "look for what keeps zraid from working on this host");
    command.add_flag("--json", *json, "for programs");
    command.callback([&admin, json] {
        const Findings findings = examine_host(admin);
        if (*json)
            std::cout << to_json(findings).dump(2) << '\n';
        else
            print(findings);
        const auto errors = std::count_if(findings.begin(), findings.end(), [](const Finding& f) {
            return f.severity == Severity::error;
        });
        if (errors != 0)
            throw Error(fmt::format("{} of these keep{} zraid from working", errors,
                                    errors == 1 ? "s" : ""));
    });
}

} // namespace zraid::cli
