#include "devices/md.h"

#include "util/busy.h"
#include "util/error.h"
#include "util/files.h"
#include "util/text.h"
#include "util/wait.h"

#include <cerrno>
#include <sstream>

#include <fmt/core.h>

namespace zraid {

namespace {

std::set<std::string> words_of(const std::string& text, char separator)
{
    std::set<std::string> words;
    std::istringstream stream(text);
    for (std::string word; std::getline(stream, word, separator);) {
        if (!word.empty())
            words.insert(word);
    }
    return words;
}

std::optional<MdMember> read_member(const std::filesystem::path& folder, const std::string& device)
{
    const auto state = read_attribute(folder / "state");
    const auto slot = read_attribute(folder / "slot");
    if (!state || !slot) // removed while we looked
        return std::nullopt;
    MdMember member{device, words_of(*state, ','), number_after(*slot, ""), std::nullopt};
    if (const auto sectors = read_attribute(folder / "offset"))
        member.data_offset = std::stoull(*sectors) * 512;
    return member;
}

/// The array_state file. The kernel answers EBUSY while it takes an array down (md_attr_show): the
/// file is gone soon.
std::optional<std::string> read_array_state(const std::filesystem::path& folder)
{
    std::optional<std::string> state;
    retry_while_busy(Milliseconds{5000}, [&] { state = read_attribute(folder / "array_state"); });
    return state;
}

/// "1234 / 5678", "none" or "delayed".
void read_progress(MdArray& array, const std::string& text)
{
    std::istringstream stream(text);
    char slash = 0;
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    if (stream >> done >> slash >> total && slash == '/') {
        array.sync_done = done;
        array.sync_total = total;
    }
}

} // namespace

const MdMember* MdArray::member(const std::string& device) const
{
    for (const MdMember& m : members) {
        if (m.device == device)
            return &m;
    }
    return nullptr;
}

std::optional<MdArray> read_md(const Paths& paths, int number)
{
    MdArray array;
    array.number = number;
    const auto folder = paths.block(array.name()) / "md";
    const auto state = read_array_state(folder);
    if (!state || *state == "clear")
        return std::nullopt;
    array.array_state = *state;
    array.sync_action = read_attribute(folder / "sync_action").value_or("");
    if (const auto uuid = read_attribute(folder / "uuid"); uuid && !uuid->empty())
        array.uuid = Uuid::parse(*uuid);
    if (const auto sectors = read_attribute(paths.block(array.name()) / "size"))
        array.size = std::stoull(*sectors) * 512;
    read_progress(array, read_attribute(folder / "sync_completed").value_or("none"));
    if (const auto speed = read_attribute(folder / "sync_speed"))
        array.sync_speed = static_cast<std::uint64_t>(number_after(*speed, "").value_or(0));
    for (const std::string& entry : entries_of(folder)) {
        if (!entry.starts_with("dev-"))
            continue;
        if (auto member = read_member(folder / entry, entry.substr(4)))
            array.members.push_back(std::move(*member));
    }
    return array;
}

std::vector<MdArray> read_all_md(const Paths& paths)
{
    std::vector<MdArray> arrays;
    for (const std::string& name : entries_of(paths.sys / "block")) {
        const auto number = number_after(name, "md");
        if (auto array = number ? read_md(paths, *number) : std::nullopt)
            arrays.push_back(std::move(*array));
    }
    return arrays;
}

std::vector<int> list_md(const Paths& paths)
{
    std::vector<int> numbers;
    for (const MdArray& array : read_all_md(paths))
        numbers.push_back(array.number);
    return numbers;
}

void await_end_of_recovery(const Paths& paths, int number, Milliseconds limit)
{
    wait_until(limit, [&] { return read_md_attribute(paths, number, "sync_action") != "recover"; });
}

std::optional<std::uint64_t> sync_position(const Paths& paths, int number)
{
    // md100 : active raid1 loop0[0] zram0[1]
    //       1047552 blocks super 1.2 [2/1] [U_]
    //       [=>...................]  recovery =  9.3% (98304/1047552) finish=0.1min speed=…K/sec
    std::istringstream text(read_if_there(paths.proc / "mdstat").value_or(""));
    const std::string array = fmt::format("md{} :", number);
    bool ours = false;
    for (std::string line; std::getline(text, line);) {
        if (!line.starts_with(' '))
            ours = line.starts_with(array);
        const std::size_t from = line.find("% (");
        std::uint64_t kib = 0;
        if (ours && from != std::string::npos && std::istringstream(line.substr(from + 3)) >> kib)
            return kib * 1024;
    }
    return std::nullopt;
}

std::optional<int> md_holding(const Paths& paths, const std::string& device)
{
    for (const std::string& holder : entries_of(paths.block(device) / "holders")) {
        if (const auto number = number_after(holder, "md"))
            return number;
    }
    return std::nullopt;
}

std::optional<std::string> read_md_attribute(const Paths& paths, int number,
                                             const std::string& attribute)
{
    return read_attribute(paths.block(md_kernel_name(number)) / "md" / attribute);
}

void write_md(const Paths& paths, int number, const std::string& attribute,
              const std::string& value)
{
    write_attribute(paths.block(md_kernel_name(number)) / "md" / attribute, value);
}

} // namespace zraid
