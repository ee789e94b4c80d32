#include "util/log.h"

#include <spdlog/sinks/null_sink.h>

namespace zraid {

namespace {

std::shared_ptr<spdlog::logger>& current()
{
    static std::shared_ptr<spdlog::logger> logger =
        std::make_shared<spdlog::logger>("silent", std::make_shared<spdlog::sinks::null_sink_mt>());
    return logger;
}

} // namespace

spdlog::logger& log()
{
    return *current();
}

void set_log(std::shared_ptr<spdlog::logger> logger)
{
    current() = std::move(logger);
}

} // namespace zraid
