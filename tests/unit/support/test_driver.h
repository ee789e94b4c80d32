#pragma once

#include "libvirt/connection.h"

namespace zraid::test {

/// libvirt's own driver for tests: pools and domains in the memory of this process, no daemon. It
/// has a pool "default-pool" and a running domain, and forgets all changes with the last
/// connection: whoever wants to keep them holds one.
inline constexpr const char* kTestDriver = "test:///default";
inline constexpr const char* kTestDomain = "6695eb01-f6a4-8304-79aa-97f2502e193f";

/// No daemon answers there.
inline constexpr const char* kNoDriver = "qemu+unix:///system?socket=/no/such/socket";

} // namespace zraid::test
