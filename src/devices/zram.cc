#include "devices/zram.h"

#include "devices/modules.h"
#include "util/error.h"
#include "util/files.h"
#include "util/log.h"
#include "util/wait.h"

#include <cerrno>
#include <sstream>

#include <fmt/core.h>
#include <unistd.h>

namespace zraid {

namespace {

std::filesystem::path control(const Paths& paths)
{
    return paths.sys / "class/zram-control";
}

/// "lzo [lzo-rle] lz4" as words, the brackets kept.
std::vector<std::string> compressor_words(const std::string& attribute)
{
    std::istringstream text(attribute);
    std::vector<std::string> words;
    for (std::string word; text >> word;)
        words.push_back(word);
    return words;
}

bool is_chosen(const std::string& word)
{
    return word.size() > 2 && word.front() == '[' && word.back() == ']';
}

std::string without_brackets(const std::string& word)
{
    return is_chosen(word) ? word.substr(1, word.size() - 2) : word;
}

} // namespace

std::uint64_t zram_table_bytes(std::uint64_t size)
{
    return (size + 4095) / 4096 * 24;
}

void ensure_zram(const Paths& paths)
{
    load_module_unless("zram", control(paths) / "hot_add", {"num_devices=0"});
}

int next_zram_number(const Paths& paths)
{
    int number = 0;
    while (std::filesystem::exists(paths.block(fmt::format("zram{}", number))))
        ++number;
    return number;
}

std::string add_zram(const Paths& paths)
{
    // Reading the file is what makes the device.
    std::string number = read_file(control(paths) / "hot_add");
    number.erase(number.find_last_not_of(" \n") + 1);
    const std::string name = "zram" + number;
    if (!wait_until(Milliseconds{5000},
                    [&] { return std::filesystem::exists(paths.device(name)); }))
        throw Error(fmt::format("'{}' did not appear", paths.device(name).string()));
    log().debug("made {}", name);
    return name;
}

void configure_zram(const Paths& paths, const std::string& name, const ZramSettings& settings)
{
    const auto folder = paths.block(name);
    if (!settings.compressor.empty()) {
        try {
            write_attribute(folder / "comp_algorithm", settings.compressor);
        } catch (const SystemError& e) {
            // A slower RAM leg is better than none: the administrator is told, the VM is served.
            log().warn("{}: compressor '{}' refused ({}), the kernel's default is used; {} lists "
                       "those it has",
                       name, settings.compressor, errno_text(e.code()),
                       (folder / "comp_algorithm").string());
        }
    }
    if (!settings.recompressor.empty()) {
        try {
            write_attribute(folder / "recomp_algorithm",
                            fmt::format("algo={} priority=1", settings.recompressor));
        } catch (const SystemError& e) { // only asked for by `recompress`, which says so
            log().info("{}: recompressor '{}' refused ({})", name, settings.recompressor,
                       errno_text(e.code()));
        }
    }
    if (settings.limit != 0)
        write_attribute(folder / "mem_limit", fmt::format("{}", settings.limit));
    write_attribute(folder / "disksize", fmt::format("{}", settings.size));
}

std::vector<std::string> zram_compressors(const Paths& paths, const std::string& name)
{
    std::vector<std::string> names;
    const std::string offered = read_file(paths.block(name) / "comp_algorithm");
    for (const std::string& word : compressor_words(offered))
        names.push_back(without_brackets(word));
    return names;
}

std::string zram_compressor(const Paths& paths, const std::string& name)
{
    const auto offered = read_attribute(paths.block(name) / "comp_algorithm");
    for (const std::string& word : compressor_words(offered.value_or(""))) {
        if (is_chosen(word))
            return without_brackets(word);
    }
    return {};
}

bool can_recompress(const Paths& paths, const std::string& name)
{
    return std::filesystem::exists(paths.block(name) / "recomp_algorithm");
}

void recompress_zram(const Paths& paths, const std::string& name,
                     std::optional<std::chrono::seconds> idle)
{
    const auto folder = paths.block(name);
    write_attribute(folder / "idle", idle ? fmt::format("{}", idle->count()) : "all");
    write_attribute(folder / "recompress", "type=idle");
}

std::optional<ZramStatistics> zram_statistics(const Paths& paths, const std::string& name)
{
    const auto size = read_attribute(paths.block(name) / "disksize");
    const auto figures = read_attribute(paths.block(name) / "mm_stat");
    if (!size || !figures)
        return std::nullopt;
    ZramStatistics statistics;
    std::istringstream(*size) >> statistics.size;
    std::istringstream text(*figures);
    text >> statistics.data >> statistics.compressed >> statistics.stored >> statistics.limit >>
        statistics.peak;
    if (!text)
        throw Error(fmt::format("{}: mm_stat '{}' is not understood", name, *figures));
    std::uint64_t pages = 0;
    if (text >> pages)
        statistics.uniform = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    statistics.table = zram_table_bytes(statistics.size);
    return statistics;
}

std::string disk_sequence(const Paths& paths, const std::string& name)
{
    return read_attribute(paths.block(name) / "diskseq").value_or("");
}

void remove_zram(const Paths& paths, const std::string& name)
{
    const auto folder = paths.block(name);
    // Busy while anything has the device open, be it udev for a moment.
    const Milliseconds limit{10'000};
    if (!std::filesystem::exists(folder))
        return;
    if (!write_when_free(folder / "reset", "1", limit) ||
        !write_when_free(control(paths) / "hot_remove", name.substr(4), limit))
        throw SystemError(
            EBUSY, fmt::format("remove '{}'", name),
            fmt::format("find out what holds it (fuser -v /dev/{}), then try again", name));
    log().debug("removed {}", name);
}

} // namespace zraid
