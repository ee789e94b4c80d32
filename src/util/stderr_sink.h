#pragma once

#include "util/log.h"

#include <string>

namespace zraid {

/// Lines for whoever looks at stderr, "PROGRAM: warning: …", the second word in a colour where
/// colours are wanted.
class StderrSink : public LogSink
{
public:
    explicit StderrSink(std::string program);

    void write(LogLevel level, const std::string& text) override;

private:
    std::string program_;
    bool in_colour_;
};

} // namespace zraid
