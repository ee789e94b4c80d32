#include "table.h"

#include <algorithm>
#include <string_view>

#include <fmt/core.h>

namespace zraid::cli {

namespace {

/// Bytes of colours (ESC [ … m, ECMA-48), which take no room on the screen.
std::size_t colours_in(std::string_view cell)
{
    std::size_t bytes = 0;
    for (std::size_t begin = cell.find('\x1b'); begin != std::string_view::npos;) {
        const std::size_t end = std::min(cell.find('m', begin), cell.size() - 1);
        bytes += end - begin + 1;
        begin = cell.find('\x1b', end + 1);
    }
    return bytes;
}

} // namespace

std::string Table::text() const
{
    std::vector<std::size_t> widths(rows_.front().size());
    for (const Row& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i)
            widths.at(i) = std::max(widths.at(i), row.at(i).size() - colours_in(row.at(i)));
    }
    std::string text;
    for (const Row& row : rows_) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i)
            line += fmt::format("{:<{}}  ", row.at(i), widths.at(i) + colours_in(row.at(i)));
        text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
    }
    return text;
}

} // namespace zraid::cli
