#pragma once

#include <string>
#include <utility>
#include <vector>

namespace zraid {

/// Names and values, such as {"POOL", "vm"}.
using LogFields = std::vector<std::pair<std::string, std::string>>;

/// What the lines are about that this thread logs as long as the object lives: a field of the
/// journal (systemd.journal-fields(7)), so that `journalctl POOL=vm` finds them. Where an exception
/// ends the object, the field stays for the line that tells of it, further out.
class LogField
{
public:
    /// @param name capital letters, digits and "_", a letter first
    LogField(std::string name, std::string value);
    ~LogField();
    LogField(const LogField&) = delete;
    LogField& operator=(const LogField&) = delete;
    LogField(LogField&&) = delete;
    LogField& operator=(LogField&&) = delete;

private:
    std::pair<std::string, std::string> field_;
    int exceptions_;
};

/// The fields of a line that is logged now, each once. What an exception left is handed out once,
/// and only while no other object speaks of the same.
LogFields take_log_fields();

} // namespace zraid
