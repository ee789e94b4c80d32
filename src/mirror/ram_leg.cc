#include "mirror/ram_leg.h"

#include "devices/zram.h"
#include "pools/settings.h"
#include "util/error.h"
#include "util/files.h"
#include "util/json.h"
#include "util/json_object.h"
#include "util/lock.h"
#include "util/log.h"
#include "util/size.h"

#include <fmt/core.h>

namespace zraid {

namespace {

constexpr const char* kRecordEnding = ".json";

std::filesystem::path folder(const Paths& paths)
{
    return paths.run / "ram";
}

std::filesystem::path record_file(const Paths& paths, const std::string& pool)
{
    return folder(paths) / (pool + kRecordEnding);
}

/// Held while a device is made: the number that it will get is foretold, and memory is counted.
FileLock lock_ram(const Paths& paths)
{
    return FileLock(paths.lock(".ram"), Milliseconds{20'000});
}

/// hot_add with the record around it.
std::string add_recorded(const Paths& paths, const std::string& pool, std::uint64_t worst)
{
    RamLegRecord record{fmt::format("zram{}", next_zram_number(paths)), "", worst};
    record.save(paths, pool);
    record.device = add_zram(paths);
    record.sequence = disk_sequence(paths, record.device);
    record.save(paths, pool);
    return record.device;
}

void check_room(const Paths& paths, const PoolDefinition& pool, std::uint64_t worst)
{
    const std::uint64_t room = ram_room(paths, read_memory(paths));
    if (worst <= room)
        return;
    throw Error(fmt::format("the RAM leg may need {} (table {}), {} are to be had",
                            format_size(worst), format_size(zram_table_bytes(pool.size)),
                            format_size(room)),
                "free memory, define the pool with a smaller --ram-limit, or raise memory-limit in "
                "zraid.conf; "
                "zraid-pool budget shows what fits");
}

} // namespace

std::optional<RamLegRecord> RamLegRecord::load(const Paths& paths, const std::string& pool)
{
    const auto text = read_if_there(record_file(paths, pool));
    if (!text)
        return std::nullopt;
    const JsonObject json(*text);
    return RamLegRecord{json.text("device"), json.text("sequence"), json.number("worst_bytes"),
                        json.text("fill"), json.number("to_copy_bytes")};
}

void RamLegRecord::remove(const Paths& paths, const std::string& pool)
{
    if (std::filesystem::exists(record_file(paths, pool)))
        remove_durably(record_file(paths, pool));
    std::filesystem::remove(record_file(paths, pool).string() + ".new"); // of one that was killed
}

void RamLegRecord::save(const Paths& paths, const std::string& pool) const
{
    make_folder(folder(paths), 0700);
    const Json json{{"device", device},
                    {"fill", fill},
                    {"sequence", sequence},
                    {"to_copy_bytes", to_copy},
                    {"worst_bytes", worst}};
    save_atomically(record_file(paths, pool), json.dump() + "\n", 0600);
}

void RamLegRecord::note_fill(const Paths& paths, const std::string& pool, const std::string& fill,
                             std::uint64_t to_copy)
{
    auto record = load(paths, pool);
    if (!record)
        return;
    record->fill = fill;
    record->to_copy = to_copy;
    record->save(paths, pool);
}

std::optional<std::string> RamLegRecord::device_of(const Paths& paths, const std::string& pool)
{
    const auto record = load(paths, pool);
    if (!record || record->device.empty())
        return std::nullopt;
    const auto size = read_attribute(paths.block(record->device) / "disksize");
    if (!size)
        return std::nullopt;
    // Killed between the two records: the device is the foretold one, and nobody gave it a size.
    const bool ours = record->sequence.empty()
                          ? *size == "0"
                          : record->sequence == disk_sequence(paths, record->device);
    return ours ? std::optional(record->device) : std::nullopt;
}

std::string make_ram_leg(const Paths& paths, const PoolDefinition& pool)
{
    ensure_zram(paths);
    const std::uint64_t limit = pool.settings.ram_limit.value_or(0);
    const std::uint64_t worst = worst_case(pool.size, limit);
    const FileLock lock = lock_ram(paths);
    check_room(paths, pool, worst);
    const std::string device = add_recorded(paths, pool.name, worst);
    try {
        // Never without a limit: incompressible data costs more than its size in zram.
        configure_zram(paths, device,
                       {pool.settings.compressor, limit == 0 ? pool.size : limit, pool.size,
                        pool.settings.recompressor});
    } catch (...) {
        discard_ram_leg(paths, pool.name, device);
        throw;
    }
    return device;
}

void discard_ram_leg(const Paths& paths, const std::string& pool, const std::string& device)
{
    remove_zram(paths, device);
    RamLegRecord::remove(paths, pool);
}

std::vector<std::string> offered_compressors(const Paths& paths, const std::string& pool)
{
    ensure_zram(paths);
    for (const std::string& name : entries_of(paths.sys / "block")) {
        if (name.starts_with("zram"))
            return zram_compressors(paths, name);
    }
    const FileLock lock = lock_ram(paths);
    const std::string device = add_recorded(paths, pool, 0);
    const auto names = zram_compressors(paths, device);
    discard_ram_leg(paths, pool, device);
    return names;
}

std::vector<std::pair<std::string, RamUse>> ram_in_use(const Paths& paths)
{
    std::vector<std::pair<std::string, RamUse>> uses;
    for (const std::string& entry : entries_of(folder(paths))) {
        if (!entry.ends_with(kRecordEnding))
            continue;
        const std::string pool = entry.substr(0, entry.size() - 5);
        const auto device = RamLegRecord::device_of(paths, pool);
        const auto statistics = device ? zram_statistics(paths, *device) : std::nullopt;
        if (!statistics)
            continue;
        const auto record = RamLegRecord::load(paths, pool);
        uses.emplace_back(
            pool, RamUse{statistics->table + statistics->stored, record ? record->worst : 0});
    }
    return uses;
}

std::uint64_t ram_room(const Paths& paths, const MemoryInfo& memory)
{
    std::vector<RamUse> attached;
    for (const auto& [name, use] : ram_in_use(paths))
        attached.push_back(use);
    return room_for_ram(memory, attached, load_settings(paths).memory);
}

} // namespace zraid
