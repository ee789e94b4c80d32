#include "devices/mdadm_conf.h"

#include "util/error.h"
#include "util/files.h"

#include <cstddef>
#include <optional>
#include <string_view>

#include <strings.h>

namespace zraid {

namespace fs = std::filesystem;

namespace {

/// In front of a line of the administrator's that was taken out.
constexpr std::string_view kTakenOut = "#zraid# ";
/// In front of a line for whoever reads the file; it goes when the others come back.
constexpr std::string_view kNote = "#zraid: ";

enum class Keyword
{
    mail_address,
    mail_from,
    program,
    other,
};

/// One line of a file, its end included, and the words that mdadm sees in it.
struct Line
{
    std::string text;
    std::vector<std::string> words;
    /// Does a new entry begin here? Lines that begin with blanks go on with the entry above,
    /// whatever comments and empty lines are in between.
    bool begins_entry = false;
    Keyword keyword = Keyword::other; ///< of the entry that the line belongs to
};

bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/// One word from here on; quotes keep blanks together and are dropped. A line end closes them.
std::string take_word(std::string_view text, std::size_t& at)
{
    std::string word;
    char quote = 0;
    for (; at < text.size() && text[at] != '\n' && (quote != 0 || !is_blank(text[at])); ++at) {
        const char c = text[at];
        if (quote != 0 && c == quote)
            quote = 0;
        else if (quote == 0 && (c == '\'' || c == '"'))
            quote = c;
        else
            word += c;
    }
    return word;
}

std::vector<std::string> words_of(std::string_view text)
{
    std::vector<std::string> words;
    std::size_t at = 0;
    for (;;) {
        while (at < text.size() && is_blank(text[at]))
            ++at;
        if (at >= text.size() || text[at] == '\n' || text[at] == '#')
            return words;
        words.push_back(take_word(text, at));
    }
}

/// mdadm takes any beginning of a keyword from three letters on, in either case, and the first
/// keyword of its list that fits: "mail" is MAILADDR.
Keyword keyword_of(const std::string& word)
{
    const auto begins = [&](std::string_view keyword) {
        return word.size() >= 3 && word.size() <= keyword.size() &&
               ::strncasecmp(word.c_str(), keyword.data(), word.size()) == 0;
    };
    if (begins("mailaddr"))
        return Keyword::mail_address;
    if (begins("mailfrom"))
        return Keyword::mail_from;
    return begins("program") ? Keyword::program : Keyword::other;
}

std::vector<Line> lines_of(const std::string& content)
{
    std::vector<Line> lines;
    std::optional<Keyword> entry;
    for (std::size_t at = 0; at < content.size();) {
        const std::size_t end = content.find('\n', at);
        Line line;
        line.text = content.substr(at, end == std::string::npos ? std::string::npos : end + 1 - at);
        at += line.text.size();
        line.words = words_of(line.text);
        if (!line.words.empty()) {
            // With nothing above it to go on with, mdadm takes an indented line as one that begins.
            line.begins_entry = !entry || !is_blank(line.text.front());
            if (line.begins_entry)
                entry = keyword_of(line.words.front());
            line.keyword = *entry;
        }
        lines.push_back(std::move(line));
    }
    return lines;
}

void read_line(MonitorSettings& settings, const Line& line)
{
    for (std::size_t i = line.begins_entry ? 1 : 0; i < line.words.size(); ++i) {
        const std::string& word = line.words[i];
        if (line.keyword == Keyword::mail_address && settings.mail_address.empty())
            settings.mail_address = word;
        else if (line.keyword == Keyword::program && settings.program.empty())
            settings.program = word;
        else if (line.keyword == Keyword::mail_from)
            settings.mail_from += (settings.mail_from.empty() ? "" : " ") + word;
    }
}

std::string note(const fs::path& program)
{
    return std::string(kNote) + program.filename().string() +
           " hears of everything that mdadm sees, and passes on what matters.\n" +
           std::string(kNote) + "\"zraid-pool mdadm-mail restore\" puts this file back.\n";
}

bool is_line_of_ours(const Line& line, const fs::path& program)
{
    if (line.text.starts_with(kNote))
        return true;
    return line.begins_entry && line.keyword == Keyword::program && line.words.size() == 2 &&
           fs::path(line.words[1]).filename() == program.filename();
}

std::string given_back(const std::string& content, const fs::path& program)
{
    std::string result;
    for (const Line& line : lines_of(content)) {
        if (line.text.starts_with(kTakenOut))
            result += line.text.substr(kTakenOut.size());
        else if (!is_line_of_ours(line, program))
            result += line.text;
    }
    return result;
}

/// @param ours what to put before the first line that is taken out; emptied once it is there
std::string taken_over(const std::string& content, std::string& ours)
{
    std::string result;
    for (const Line& line : lines_of(content)) {
        if (line.keyword == Keyword::mail_address || line.keyword == Keyword::program) {
            // Before the line, not behind it: the last one of a file may lack its end.
            result += ours + std::string(kTakenOut);
            ours.clear();
        }
        result += line.text;
    }
    return result;
}

void add_if_there(std::vector<MdadmConfFile>& files, const fs::path& path)
{
    if (const auto content = read_if_there(path))
        files.push_back({path, *content});
}

} // namespace

std::vector<MdadmConfFile> read_mdadm_conf(const Paths& paths)
{
    // Debian's place is the second one; a file in mdadm's own hides it, and its folder.
    std::vector<MdadmConfFile> files;
    fs::path main = paths.host_etc / "mdadm.conf";
    add_if_there(files, main);
    if (files.empty()) {
        add_if_there(files, paths.host_etc / "mdadm/mdadm.conf");
        if (!files.empty())
            main = files.front().path;
    }
    const fs::path folder = main.string() + ".d";
    for (const std::string& name : entries_of(folder)) {
        if (!name.starts_with('.') && name.size() > 5 && name.ends_with(".conf"))
            add_if_there(files, folder / name);
    }
    return files;
}

MonitorSettings monitor_settings(const std::vector<MdadmConfFile>& files)
{
    MonitorSettings settings;
    for (const MdadmConfFile& file : files) {
        for (const Line& line : lines_of(file.content))
            read_line(settings, line);
    }
    return settings;
}

void take_over_alerts(std::vector<MdadmConfFile>& files, const fs::path& program)
{
    give_back_alerts(files, program);
    std::string ours = note(program) + "PROGRAM " + program.string() + "\n";
    for (MdadmConfFile& file : files)
        file.content = taken_over(file.content, ours);
}

void give_back_alerts(std::vector<MdadmConfFile>& files, const fs::path& program)
{
    for (MdadmConfFile& file : files)
        file.content = given_back(file.content, program);
}

} // namespace zraid
