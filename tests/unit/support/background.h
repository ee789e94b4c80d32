#pragma once

#include <csignal>
#include <string>

#include <sys/types.h>

namespace zraid::test {

/// A process that somebody else started; ended with the test.
class Background
{
public:
    explicit Background(pid_t pid) : pid_(pid) {}
    /// @param text what `echo $!` printed
    explicit Background(const std::string& text) : pid_(std::stoi(text)) {}
    ~Background() { end(); }
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;
    Background(Background&&) = delete;
    Background& operator=(Background&&) = delete;

    void end()
    {
        if (pid_ > 0)
            ::kill(pid_, SIGKILL);
        pid_ = -1;
    }

private:
    pid_t pid_;
};

} // namespace zraid::test
