#pragma once

#include <memory>

#include <spdlog/logger.h>

namespace zraid {

/// The logger that all of the library uses; silent until a program sets one.
spdlog::logger& log();

/// @param logger with the sinks of the program's choice
void set_log(std::shared_ptr<spdlog::logger> logger);

} // namespace zraid
