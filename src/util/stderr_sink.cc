#include "util/stderr_sink.h"

#include "util/terminal.h"

#include <memory>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <unistd.h>

namespace zraid {

spdlog::sink_ptr make_stderr_sink(const std::string& program)
{
    auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(
        in_colour(STDERR_FILENO) ? spdlog::color_mode::always : spdlog::color_mode::never);
    sink->set_pattern(program + ": %^%l%$: %v");
    return sink;
}

} // namespace zraid
