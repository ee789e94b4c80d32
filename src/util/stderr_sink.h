#pragma once

#include <string>

#include <spdlog/common.h>

namespace zraid {

/// Lines for whoever looks at stderr, "PROGRAM: warning: …", the second word in a colour where
/// colours are wanted. For any number of threads.
spdlog::sink_ptr make_stderr_sink(const std::string& program);

} // namespace zraid
