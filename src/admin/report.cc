#include "admin/report.h"

#include "mirror/mirror.h"
#include "mirror/ram_leg.h"
#include "pools/store.h"
#include "util/error.h"

#include <algorithm>

#include <fmt/format.h>

namespace zraid {

namespace {

PoolReport report(const Admin& admin, PoolDefinition definition)
{
    PoolReport report;
    report.name = definition.name;
    report.view = view_pool(admin.paths, definition);
    report.users = Claims(admin.paths, definition.name).list();
    report.attach_problem = attach_problem(admin.paths, definition.name);
    report.fill = fill_progress(admin.paths, definition, report.view);
    if (report.view.ram) {
        const std::string& device = report.view.ram->device;
        report.ram = zram_statistics(admin.paths, device);
        if (report.ram)
            report.ram_compressor = zram_compressor(admin.paths, device);
        if (const auto record = RamLegRecord::load(admin.paths, definition.name))
            report.ram_fill = record->fill;
    }
    report.definition = std::move(definition);
    return report;
}

Json ram_json(const PoolReport& report)
{
    if (!report.view.ram || !report.ram)
        return nullptr;
    return {{"device", "/dev/" + report.view.ram->device},
            {"in_sync", report.view.ram->in_sync},
            {"failed", report.view.ram->faulty},
            {"fill", text_or_null(report.ram_fill)},
            {"compressor", report.ram_compressor},
            {"limit_bytes", report.ram->limit},
            {"data_bytes", report.ram->data},
            {"stored_bytes", report.ram->stored},
            {"table_bytes", report.ram->table}};
}

Json disk_json(const PoolReport& report)
{
    if (!report.view.disk)
        return nullptr;
    return {{"device", "/dev/" + report.view.disk->device},
            {"in_sync", report.view.disk->in_sync},
            {"failed", report.view.disk->faulty},
            {"direct_io", report.view.disk_loop && report.view.disk_loop->direct_io},
            {"in_doubt", report.view.in_doubt},
            {"doubt", text_or_null(report.view.doubt_why)}};
}

std::string trouble_of_legs(const PoolView& view)
{
    switch (view.state()) {
    case PoolState::ram_only:
        if (view.disk && !view.disk->faulty)
            return "ram-only: md copies to the disk leg what it missed. Next: keep the host "
                   "running until it is done";
        if (!view.image_trouble.empty())
            return fmt::format(
                "ram-only: the disk leg is lost ({}), what is written now is in "
                "memory only. Next: zraid-pool repair lets go of the image; then mend "
                "what it lies on (umount, fsck, mount), and zraid-pool repair once "
                "more; keep the host running",
                view.image_trouble);
        return "ram-only: the disk leg is lost, what is written now is in memory only. Next: bring "
               "back what the image lies on (see the kernel's log); keep the host running";
    case PoolState::failed:
        return "failed: no leg is in sync. Next: see /proc/mdstat and the kernel's log";
    case PoolState::mirrored:
        if (view.doubt_needs_word)
            return view.doubt_why + ". Next: zraid-pool repair --from ram, or --from image";
        if (view.in_doubt)
            return "the disk leg may lack data, and was not compared with the RAM leg yet. Next: "
                   "let zraid-monitor do it, or zraid-pool repair";
        return "";
    default:
        return "";
    }
}

std::string trouble_of_unusable(const PoolView& view)
{
    const bool mirrored = view.state() == PoolState::mirrored;
    return fmt::format("its image takes no data: {}. Next: {}; then mend what it lies on (umount, "
                       "fsck, mount), and zraid-pool {}{}",
                       view.image_trouble,
                       mirrored ? "zraid-pool repair lets go of it" : "zraid-pool stop",
                       mirrored ? "repair" : "start", view.ram ? "; keep the host running" : "");
}

} // namespace

std::string trouble_of(const PoolView& view)
{
    if (view.lost_its_device() && view.ram && view.ram->in_sync)
        return "its device is gone, what is written now is in memory only. Next: connect the "
               "device again, then zraid-pool repair; keep the host running";
    if (view.lost_its_device())
        return "its device is gone. Next: stop what uses the pool, then zraid-pool stop; connect "
               "the device again, then zraid-pool start";
    if (const auto kept = view.kept_ram_leg())
        return fmt::format(
            "its RAM leg, /dev/{0}, failed or left the array while the image was in "
            "doubt ({1}): it is kept, and may hold the only good copy. Next: compare "
            "/dev/{0} with the image, see zraid-pool detach; keep the host running",
            *kept, view.doubt_why);
    switch (view.image_fault) {
    case ImageFault::unusable:
        return trouble_of_unusable(view);
    case ImageFault::gone:
        return "its image was removed while it is in use. Next: copy what the array holds to a new "
               "file before the host goes down, see zraid-pool stop";
    case ImageFault::replaced:
        return "another file has its image's name while it is in use. Next: copy what the array "
               "holds to a new file before the host goes down, see zraid-pool stop";
    case ImageFault::too_short:
        if (view.image_kind == ImageKind::block)
            return "its device became smaller while it is in use. Next: see zraid-pool detach";
        return "its image was truncated while it is in use. Next: see zraid-pool detach";
    case ImageFault::none:
        break;
    }
    if (const std::string trouble = trouble_of_legs(view); !trouble.empty())
        return trouble;
    if (view.state() == PoolState::inactive)
        return view.image_trouble.empty()
                   ? ""
                   : fmt::format("its image cannot be used: {}. Next: mend what it lies on",
                                 view.image_trouble);
    if (view.layout == LayoutState::down)
        return "its file system is not mounted. Next: zraid-pool start";
    if (view.layout == LayoutState::partly)
        return "not all of its volumes may be there. Next: zraid-pool start";
    return "";
}

PoolReport report_pool(const Admin& admin, const std::string& name)
{
    return report(admin, PoolStore(admin.paths).load(name));
}

std::vector<PoolReport> report_all(const Admin& admin)
{
    std::vector<PoolReport> reports;
    for (StoredPool& pool : PoolStore(admin.paths).load_all()) {
        PoolReport broken;
        broken.name = pool.name;
        broken.problem = pool.problem;
        try {
            reports.push_back(pool.definition ? report(admin, std::move(*pool.definition))
                                              : std::move(broken));
        } catch (const std::exception& e) { // the others can be told nevertheless
            broken.problem = fmt::format("pool '{}': {}", pool.name, explain(e));
            reports.push_back(std::move(broken));
        }
    }
    return reports;
}

BudgetReport report_budget(const Admin& admin)
{
    BudgetReport budget;
    budget.memory = read_memory(admin.paths);
    budget.room = ram_room(admin.paths, budget.memory);
    for (const PoolReport& pool : report_all(admin)) {
        if (!pool.problem.empty())
            continue;
        BudgetReport::Pool line;
        line.name = pool.name;
        line.state = to_string(pool.view.state());
        line.use.worst =
            worst_case(pool.definition.size, pool.definition.settings.ram_limit.value_or(0));
        if (pool.ram) {
            line.table = pool.ram->table;
            line.stored = pool.ram->stored;
            line.use.taken = line.table + line.stored;
        }
        line.fits = pool.ram || line.use.worst <= budget.room;
        budget.pools.push_back(line);
    }
    return budget;
}

Json to_json(const PoolReport& report)
{
    if (!report.problem.empty())
        return {{"name", report.name}, {"state", nullptr}, {"problem", report.problem}};
    const PoolDefinition& pool = report.definition;
    const PoolSettings& settings = pool.settings;
    const auto& fill = report.fill;
    const auto seconds = fill ? fill->remaining() : std::nullopt;
    Json users = Json::array();
    for (const Claim& claim : report.users)
        users.push_back({{"name", claim.domain}, {"uuid", claim.uuid.text()}});
    return {{"name", pool.name},
            {"uuid", pool.uuid.text()},
            {"description", settings.description},
            {"type", to_string(pool.type)},
            {"target", text_or_null(pool.target)},
            {"image", pool.image},
            {"image_type", to_string(pool.image_kind)},
            {"size_bytes", pool.size},
            {"md", pool.md_device()},
            {"state", to_string(report.view.state())},
            {"fill_percent", fill ? Json(fill->percent()) : Json(nullptr)},
            {"fill_left_bytes", fill ? Json(fill->left) : Json(nullptr)},
            {"fill_seconds_left", seconds ? Json(seconds->count()) : Json(nullptr)},
            {"attach", to_string(settings.attach)},
            {"required", settings.ram_required},
            {"libvirt", settings.libvirt},
            {"autostart", settings.autostart},
            {"bitmap_chunk_bytes", pool.bitmap_chunk},
            {"writes", to_string(settings.writes)},
            {"compressor", text_or_null(settings.compressor)},
            {"recompressor", text_or_null(settings.recompressor)},
            {"ram_limit_bytes", settings.ram_limit ? Json(*settings.ram_limit) : Json(nullptr)},
            {"trouble", text_or_null(trouble_of(report.view))},
            {"attach_problem", text_or_null(report.attach_problem)},
            {"ram", ram_json(report)},
            {"disk", disk_json(report)},
            {"users", users}};
}

Json to_json(const BudgetReport& report)
{
    Json pools = Json::array();
    for (const BudgetReport::Pool& pool : report.pools)
        pools.push_back({{"name", pool.name},
                         {"state", pool.state},
                         {"table_bytes", pool.table},
                         {"stored_bytes", pool.stored},
                         {"worst_bytes", pool.use.worst},
                         {"fits", pool.fits}});
    return {{"mem_total_bytes", report.memory.total},
            {"mem_available_bytes", report.memory.available},
            {"room_bytes", report.room},
            {"pools", pools}};
}

} // namespace zraid
