#include "admin/import.h"

#include "admin/zram_raid_config.h"
#include "devices/bitmap.h"
#include "devices/file_id.h"
#include "devices/loop.h"
#include "devices/md.h"
#include "devices/takeover.h"
#include "mirror/mirror.h"
#include "pools/settings.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/files.h"
#include "util/log.h"
#include "util/size.h"
#include "util/xml_text.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include <fmt/core.h>
#include <sys/stat.h>

namespace zraid {

namespace {

namespace fs = std::filesystem;

fs::path header_file(const Paths& paths, const std::string& pool)
{
    return paths.etc / "imported" / (pool + ".superblock");
}

/// A definition with nothing but what an import knows.
PoolDefinition definition_of(const ImportEntry& entry, const std::string& info)
{
    PoolDefinition pool;
    pool.name = entry.pool;
    pool.type = PoolType::whole;
    pool.settings.description = info;
    pool.image = entry.image;
    pool.size = size_after_takeover(entry.size);
    pool.md_number = entry.md_number;
    pool.bitmap_chunk = default_bitmap_chunk(pool.size);
    pool.settings.libvirt = false;
    return pool;
}

void check_entry(const ImportEntry& entry)
{
    if (entry.md_number > kMaxMdNumber)
        throw Error(fmt::format("md number {} is not possible", entry.md_number),
                    "give it an id from 0 to 511 in the file, and in the domains that use it");
    if (!entry.image.starts_with('/'))
        throw Error(fmt::format("image path '{}' is relative", entry.image),
                    "give it from the root on in the file");
    if (!is_xml_text(entry.image) || entry.image.find_first_of("\t\n") != std::string::npos)
        throw Error("the image path has control characters in it, or is not UTF-8",
                    "rename the file");
}

std::uint64_t check_image(const std::string& image)
{
    struct stat info = {};
    if (::stat(image.c_str(), &info) != 0)
        throw SystemError(errno, fmt::format("image '{}'", image),
                          "mount what it lies on, or correct its path in the file");
    if (!S_ISREG(info.st_mode))
        throw Error(fmt::format("image '{}' is not a regular file", image));
    const auto size = static_cast<std::uint64_t>(info.st_size);
    if (size < kMinImageSize || size > kMaxImageSize)
        throw Error(fmt::format("image '{}' has {}", image, format_size(size)),
                    "images of pools have 16M to 16T");
    return size;
}

/// The superblock of a device, if there is one that can be read: somebody else's dead disk is no
/// reason not to import.
std::optional<MdSuperblock> superblock_if_readable(const Paths& paths, const std::string& device)
{
    try {
        return read_superblock(paths.device(device));
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

/// What runs of this array, or was left of it, may be newer than the image.
void refuse_running(const Paths& paths, const std::string& image, const MdSuperblock& superblock)
{
    const auto stop = [](const std::string& what, int number) {
        throw Error(fmt::format("{} /dev/md{}", what, number),
                    fmt::format("shut down what uses it, then stop it: zramraid-maker --off md{0}, "
                                "or mdadm --stop /dev/md{0}",
                                number));
    };
    for (const Loop& loop : loops_of(paths, file_id(image).value_or(FileId{}))) {
        if (const auto number = md_holding(paths, loop.name))
            stop("it runs as", *number);
        throw Error(fmt::format("its image is attached to /dev/{}", loop.name),
                    fmt::format("see what uses it, then losetup -d /dev/{}", loop.name));
    }
    for (const MdArray& array : read_all_md(paths)) {
        bool same = array.uuid == superblock.array_uuid;
        for (const MdMember& member : array.members) {
            const auto found = superblock_if_readable(paths, member.device);
            same = same || (found && found->array_uuid == superblock.array_uuid);
        }
        if (same)
            stop("the same array, or a copy of it, runs as", array.number);
    }
    for (const std::string& device : entries_of(paths.sys / "block")) {
        const auto found =
            device.starts_with("zram") ? superblock_if_readable(paths, device) : std::nullopt;
        if (found && found->array_uuid == superblock.array_uuid &&
            found->events > superblock.events)
            throw Error(fmt::format("/dev/{} is of the same array and newer than the image: it may "
                                    "hold the only good copy",
                                    device),
                        fmt::format("keep the host running; mdadm --assemble --run the array from "
                                    "/dev/{}, and copy it",
                                    device));
    }
}

/// Fills in the entry's size, state and remark.
/// @throws Error why it is refused
void judge(const Admin& admin, const std::vector<StoredPool>& pools, ImportEntry& entry)
{
    check_entry(entry);
    entry.size = check_image(entry.image);
    const auto leg = read_foreign_leg(entry.image);
    if (!leg)
        throw Error("its image holds no array with metadata 1.2",
                    "for an empty image: zraid-pool define");
    const auto& superblock = leg->superblock;
    const std::string ours = definition_of(entry, "").array_name();

    const auto image = file_id(entry.image);
    for (const StoredPool& other : pools) {
        if (!other.definition) {
            if (other.name == entry.pool)
                throw Error(other.problem, "zraid-pool dumpxml shows the definition");
            continue;
        }
        const PoolDefinition& pool = *other.definition;
        const bool same_image = pool.image == entry.image || file_id(pool.image) == image;
        if (pool.name == entry.pool && same_image && superblock.name == ours &&
            superblock.array_uuid == pool.uuid) {
            entry.state = ImportState::imported;
            return;
        }
        if (pool.name == entry.pool)
            throw Error("a pool of this name is defined already, with another image or array",
                        fmt::format("zraid-pool dumpxml {} shows it", pool.name));
        if (same_image)
            throw Error(fmt::format("its image belongs to pool '{}' already", pool.name));
        if (pool.md_number == entry.md_number)
            throw Error(fmt::format("/dev/md{} is that of pool '{}'", entry.md_number, pool.name),
                        "give it another id in the file, and in the domains that use it");
    }
    refuse_running(admin.paths, entry.image, superblock);
    if (read_md(admin.paths, entry.md_number))
        throw Error(fmt::format("/dev/md{} is another array", entry.md_number),
                    "stop that one, or give this another id in the file, and in the domains that "
                    "use it");
    // Taken over, and then killed; or undefined since.
    if (superblock.name == ours && read_if_there(header_file(admin.paths, entry.pool))) {
        entry.state = ImportState::ready;
        return;
    }
    if (superblock.name.starts_with("zraid:"))
        throw Error(fmt::format("its image is that of zraid's array '{}'", superblock.name),
                    "zraid-pool define takes it up");
    if (const std::string why = why_not_taken_over(*leg, entry.size); !why.empty())
        throw Error(fmt::format("its image cannot be taken over: {}", why),
                    "copy what is in the array to a new pool");
    const std::uint64_t larger = size_after_takeover(entry.size) - entry.size;
    if (larger != 0)
        entry.remark =
            fmt::format("its image, of {} bytes, gets {} bytes more", entry.size, larger);
    entry.state = ImportState::ready;
}

/// What is overwritten, unless a killed import has saved it already and begun to overwrite.
void save_header(const Paths& paths, const ImportEntry& entry)
{
    const fs::path file = header_file(paths, entry.pool);
    if (const auto saved = read_if_there(file); saved && is_header_of(*saved, entry.image))
        return;
    make_folder(file.parent_path(), 0700);
    save_atomically(file, header_of(entry.image), 0600);
}

void take_up(const Admin& admin, ImportEntry& entry, const std::string& info)
{
    const FileLock lock = lock_pool(admin.paths, entry.pool);
    const PoolStore store(admin.paths);
    PoolDefinition pool = definition_of(entry, info);
    if (entry.state == ImportState::ready) {
        if (read_foreign_leg(entry.image).value().superblock.name != pool.array_name()) {
            save_header(admin.paths, entry);
            take_over_leg(entry.image, pool.array_name(), pool.bitmap_chunk);
            log().info("pool '{}': its image is taken over", pool.name);
        }
        entry.size = pool.size = fs::file_size(entry.image);
        pool.uuid = read_superblock(entry.image).value().array_uuid;
        pool.bitmap_chunk = read_bitmap(entry.image).chunk;
        store.save(pool);
    } else {
        pool = store.load(entry.pool);
    }
    Mirror mirror(admin.paths, pool, lock);
    const bool was_up = mirror.view().state() != PoolState::inactive;
    in_context("it is imported, but does not come up", [&] { mirror.assemble(); });
    if (entry.state == ImportState::ready || !was_up)
        entry.state = ImportState::done;
}

void refuse_twice(const std::vector<ImportEntry>& before, const ImportEntry& entry)
{
    for (const ImportEntry& other : before) {
        if (other.md_number == entry.md_number)
            throw Error("the file has its id twice", "keep the right one of both");
        if (other.image == entry.image)
            throw Error("the file has its image twice", "keep the right one of both");
    }
}

ImportEntry import_array(const Admin& admin, const ZramRaidConfig::Array& array,
                         const std::vector<ImportEntry>& before, bool apply)
{
    ImportEntry entry;
    entry.image = array.image;
    try {
        if (array.md_number < 0)
            throw Error(array.problem, "correct the file");
        entry.md_number = array.md_number;
        entry.pool = md_kernel_name(array.md_number);
        refuse_twice(before, entry);
        judge(admin, PoolStore(admin.paths).load_all(), entry);
        if (apply)
            take_up(admin, entry, array.info);
    } catch (const std::exception& e) {
        entry.state = ImportState::refused;
        entry.why = explain(e);
    }
    return entry;
}

bool is_same_file(const fs::path& left, const fs::path& right)
{
    const auto id = file_id(left);
    return id && id == file_id(right);
}

/// ZRAM-RAID's older versions had their configuration where ours is.
void take_limit(const Admin& admin, const std::string& file, const std::string& limit, bool apply,
                ImportReport& report)
{
    const fs::path ours = admin.paths.etc / "zraid.conf";
    const bool in_our_place = is_same_file(file, ours);
    if (in_our_place) {
        const fs::path kept = admin.paths.etc / "zraid.conf.zram-raid";
        report.warnings.push_back(fmt::format("'{}' is the name of zraid's own settings: the file "
                                              "{} '{}'",
                                              file, apply ? "is now" : "becomes", kept.string()));
        if (apply) {
            save_atomically(kept, read_file(file), 0600);
            save_atomically(ours, "", 0644);
        }
    }
    if (limit.empty()) {
        report.memory_limit = "stays as it is";
        return;
    }
    const bool is_set = !in_our_place && has_memory_limit(admin.paths);
    report.memory_limit =
        is_set ? fmt::format("stays as zraid.conf has it; the file says {}", limit) : limit;
    if (apply && !is_set)
        add_memory_limit(admin.paths, limit);
}

/// Beside zraid, it would take the same images, or stop arrays that it takes for its own.
void look_for_its_start(const Paths& paths, std::vector<std::string>& warnings)
{
    const auto warn = [&](const std::string& what, const std::string& next) {
        warnings.push_back(
            fmt::format("ZRAM-RAID must not run beside zraid, but {}. Next: {}", what, next));
    };
    const fs::path wants = paths.host_etc / "systemd/system/multi-user.target.wants";
    for (const char* unit : {"zramraid.service", "zraid-start.service"}) {
        if (fs::exists(fs::symlink_status(wants / unit)))
            warn(fmt::format("{} is enabled", unit),
                 fmt::format("systemctl disable --now {}", unit));
    }
    for (const char* script : {"zramraid-manager", "zraid-manager"}) {
        if (fs::exists(paths.host_etc / "init.d" / script))
            warn(fmt::format("there is /etc/init.d/{}", script),
                 fmt::format("update-rc.d {} remove, then remove the file", script));
    }
    for (const char* file : {"rc.local", "crontab"}) {
        const std::string text = read_if_there(paths.host_etc / file).value_or("");
        if (text.find("zramraid-m") != std::string::npos ||
            text.find("zraid-ma") != std::string::npos)
            warn(fmt::format("/etc/{} calls it", file), "remove that line");
    }
}

} // namespace

std::string to_string(ImportState state)
{
    switch (state) {
    case ImportState::ready:
        return "can be imported";
    case ImportState::imported:
        return "already imported";
    case ImportState::done:
        return "imported";
    case ImportState::refused:
        return "refused";
    }
    return "unknown";
}

bool ImportReport::has_refused() const
{
    return std::any_of(entries.begin(), entries.end(), [](const ImportEntry& entry) {
        return entry.state == ImportState::refused;
    });
}

ImportReport import_zram_raid(const Admin& admin, const std::string& file, bool apply)
{
    const ZramRaidConfig config = load_zram_raid_config(file);
    if (!is_same_file(file, admin.paths.etc / "zraid.conf"))
        load_settings(admin.paths); // broken ones are told before anything is done
    ImportReport report;
    report.warnings = config.warnings;
    look_for_its_start(admin.paths, report.warnings);
    // As for definitions: names, images and md numbers are compared with those of all others.
    std::optional<FileLock> all;
    if (apply)
        all.emplace(lock_pool(admin.paths, ".define"));
    for (const ZramRaidConfig::Array& array : config.arrays)
        report.entries.push_back(import_array(admin, array, report.entries, apply));
    // The last, as it may move the file away.
    take_limit(admin, file, config.memory_limit, apply, report);
    return report;
}

} // namespace zraid
