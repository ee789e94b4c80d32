#include "util/kept_lines.h"

namespace zraid {

void KeptLines::write(LogLevel level, const std::string& text)
{
    const std::lock_guard lock(mutex_);
    lines_.push_back({level, text});
    if (lines_.size() > most_)
        lines_.pop_front();
}

std::vector<KeptLines::Line> KeptLines::lines() const
{
    const std::lock_guard lock(mutex_);
    return {lines_.begin(), lines_.end()};
}

} // namespace zraid
