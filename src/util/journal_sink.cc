#include "util/journal_sink.h"

#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

namespace zraid {

namespace {

/// "NAME=value" and a newline. A value with newlines in it: the name, a newline, the value's length
/// in eight bytes, least significant first, the value, a newline.
void add_field(std::string& entry, const std::string& name, const std::string& value)
{
    entry += name;
    if (value.find('\n') == std::string::npos) {
        entry += '=';
    } else {
        entry += '\n';
        for (unsigned shift = 0; shift < 64; shift += 8)
            entry += static_cast<char>((std::uint64_t{value.size()} >> shift) & 0xffU);
    }
    entry += value + '\n';
}

UniqueFd open_socket()
{
    UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const timeval patience{1, 0};
    if (fd)
        (void)::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return fd;
}

} // namespace

int priority_of(LogLevel level)
{
    switch (level) {
    case LogLevel::critical:
        return LOG_CRIT;
    case LogLevel::error:
        return LOG_ERR;
    case LogLevel::warning:
        return LOG_WARNING;
    case LogLevel::info:
        return LOG_INFO;
    case LogLevel::debug:
        break;
    }
    return LOG_DEBUG;
}

std::string journal_entry(const std::string& program, int priority, const std::string& text,
                          const LogFields& fields)
{
    std::string entry;
    add_field(entry, "MESSAGE", text);
    add_field(entry, "PRIORITY", std::to_string(priority));
    add_field(entry, "SYSLOG_FACILITY", std::to_string(LOG_FAC(LOG_DAEMON)));
    add_field(entry, "SYSLOG_IDENTIFIER", program);
    add_field(entry, "SYSLOG_PID", std::to_string(::getpid()));
    for (const auto& [name, value] : fields)
        add_field(entry, name, value);
    return entry;
}

JournalSink::JournalSink(std::string program, std::string socket)
    : program_(std::move(program)), path_(std::move(socket))
{
}

JournalSink::~JournalSink()
{
    if (syslog_is_open_)
        ::closelog();
}

int JournalSink::send(const std::string& entry)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path_.size() >= sizeof address.sun_path)
        return ENAMETOOLONG;
    std::memcpy(address.sun_path, path_.c_str(), path_.size());
    if (!socket_)
        socket_ = open_socket();
    if (!socket_)
        return errno;
    const ssize_t n =
        ::sendto(socket_.get(), entry.data(), entry.size(), MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&address), sizeof address); // NOLINT(*-cast)
    return n < 0 ? errno : 0;
}

void JournalSink::write(LogLevel level, const std::string& text)
{
    const int priority = priority_of(level);
    const int code = send(journal_entry(program_, priority, text, take_log_fields()));
    // It is there and takes nothing: syslog would wait for the same one, without end.
    if (code == 0 || code == EAGAIN)
        return;
    if (!syslog_is_open_)
        ::openlog(program_.c_str(), LOG_PID, LOG_DAEMON);
    syslog_is_open_ = true;
    ::syslog(LOG_DAEMON | priority, "%s", text.c_str()); // NOLINT(*-vararg)
}

} // namespace zraid
