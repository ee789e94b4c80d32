#include "doctor/doctor.h"

#include "doctor/looks.h"
#include "util/error.h"

#include <functional>

namespace zraid {

std::string to_string(Severity severity)
{
    switch (severity) {
    case Severity::good:
        return "ok";
    case Severity::note:
        return "note";
    case Severity::warning:
        return "warning";
    default:
        return "error";
    }
}

Findings examine_host(const Admin& admin)
{
    Findings all;
    const auto add = [&all](const std::string& subject, const std::function<Findings()>& look) {
        try {
            for (Finding& finding : look())
                all.push_back(std::move(finding));
        } catch (const std::exception& e) {
            all.push_back({Severity::error, subject, explain(e), ""});
        }
    };
    using namespace doctor;
    add("kernel", [&] { return look_at_kernel(admin.paths); });
    add("programs", [] { return look_at_programs(); });
    add("libvirt", [&] { return look_at_libvirt(admin); });
    add("udev", [&] { return look_at_udev(admin.paths); });
    add("services", [&] { return look_at_services(admin.paths); });
    add("neighbours", [&] { return look_at_neighbours(admin.paths); });
    add("mdadm", [&] { return look_at_mdadm_mail(admin.paths); });
    add("memory", [&] { return look_at_memory(admin); });
    add("pools", [&] { return look_at_pools(admin); });
    return all;
}

Json to_json(const Findings& findings)
{
    Json json = Json::array();
    for (const Finding& finding : findings)
        json.push_back({{"severity", to_string(finding.severity)},
                        {"subject", finding.subject},
                        {"what", finding.what},
                        {"next", text_or_null(finding.next)}});
    return json;
}

} // namespace zraid
