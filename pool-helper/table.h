#pragma once

#include <string>
#include <vector>

namespace zraid::cli {

/// Rows of text in columns as wide as they need; the first row is the heading. Cells may be in
/// colours.
class Table
{
public:
    using Row = std::vector<std::string>;

    explicit Table(Row heading) : rows_{std::move(heading)} {}
    void add(Row row) { rows_.push_back(std::move(row)); }
    std::string text() const;

private:
    std::vector<Row> rows_;
};

} // namespace zraid::cli
