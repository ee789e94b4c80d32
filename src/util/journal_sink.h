#pragma once

#include "util/fd.h"
#include "util/log.h"
#include "util/log_fields.h"

#include <string>

namespace zraid {

/// Lines for the host's log. systemd's journal gets them with their fields (see LogField), by its
/// native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL): a datagram, which takes no library
/// that a hook would have to load. Where there is no journal, syslog gets them, without fields.
/// Never waits for a log that does not answer longer than a second.
class JournalSink : public LogSink
{
public:
    /// @param program how the lines are found: journalctl -t
    explicit JournalSink(std::string program, std::string socket = "/run/systemd/journal/socket");
    ~JournalSink() override;
    JournalSink(const JournalSink&) = delete;
    JournalSink& operator=(const JournalSink&) = delete;
    JournalSink(JournalSink&&) = delete;
    JournalSink& operator=(JournalSink&&) = delete;

    void write(LogLevel level, const std::string& text) override;

private:
    /// @return an errno value; 0: it was sent
    int send(const std::string& entry);

    std::string program_;
    std::string path_;
    UniqueFd socket_;
    bool syslog_is_open_ = false;
};

/// Priority of a line, as syslog(3) counts it.
int priority_of(LogLevel level);

/// A line in the journal's native protocol.
std::string journal_entry(const std::string& program, int priority, const std::string& text,
                          const LogFields& fields);

} // namespace zraid
