#include "pools/settings.h"

#include "pools/store.h"
#include "util/error.h"
#include "util/files.h"
#include "util/size.h"

#include <charconv>
#include <sstream>

#include <fmt/core.h>

namespace zraid {

namespace {

std::string trimmed(std::string text)
{
    constexpr const char* blanks = " \t\r";
    text.erase(0, text.find_first_not_of(blanks));
    text.erase(text.find_last_not_of(blanks) + 1);
    return text;
}

MemoryPolicy parse_memory_limit(const std::string& value)
{
    MemoryPolicy policy;
    if (!value.ends_with('%')) {
        policy.limit = parse_size(value);
        return policy;
    }
    const char* end = value.data() + value.size() - 1; // NOLINT(*-pointer-arithmetic)
    const auto [stop, code] = std::from_chars(value.data(), end, policy.percent);
    if (code != std::errc{} || stop != end || policy.percent > 100)
        throw UsageError(fmt::format("'{}' is no share of the memory", value),
                         "give 0% to 100%, or a size such as 8G");
    return policy;
}

void take_line(Settings& settings, const std::string& line)
{
    const std::string text = trimmed(line.substr(0, line.find('#')));
    if (text.empty())
        return;
    const auto equals = text.find('=');
    const std::string name = trimmed(text.substr(0, equals));
    if (equals == std::string::npos || name != "memory-limit")
        throw UsageError(fmt::format("there is no setting '{}'", name),
                         "the settings are: memory-limit");
    settings.memory = parse_memory_limit(trimmed(text.substr(equals + 1)));
}

} // namespace

Settings load_settings(const Paths& paths)
{
    const auto file = paths.etc / "zraid.conf";
    Settings settings;
    const auto text = read_if_there(file);
    if (!text)
        return settings;
    refuse_world_writable(file);
    std::istringstream lines(*text);
    int number = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        try {
            take_line(settings, line);
        } catch (const Error& e) {
            throw Error(fmt::format("{}, line {}: {}", file.string(), number, e.what()), e.next());
        }
    }
    return settings;
}

bool has_memory_limit(const Paths& paths)
{
    std::istringstream lines(read_if_there(paths.etc / "zraid.conf").value_or(""));
    for (std::string line; std::getline(lines, line);) {
        if (trimmed(line.substr(0, line.find_first_of("#="))) == "memory-limit")
            return true;
    }
    return false;
}

void add_memory_limit(const Paths& paths, const std::string& value)
{
    parse_memory_limit(value);
    const auto file = paths.etc / "zraid.conf";
    std::string text = read_if_there(file).value_or("");
    if (!text.empty() && !text.ends_with('\n'))
        text += '\n';
    text += fmt::format("memory-limit = {}\n", value);
    if (std::filesystem::exists(file)) {
        replace_atomically(file, text);
    } else {
        make_folder(file.parent_path(), 0755);
        save_atomically(file, text, 0644);
    }
}

} // namespace zraid
