#pragma once

#include "util/paths.h"

#include <string>

namespace zraid {

/// What the administrator's commands work with.
struct Admin
{
    Paths paths;
    std::string uri = "qemu:///system"; ///< of libvirt
};

} // namespace zraid
