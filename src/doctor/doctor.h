#pragma once

#include "admin/admin.h"
#include "doctor/finding.h"
#include "util/json.h"

namespace zraid {

/// Looks at everything that makes zraid fail on a real host. Changes nothing, loads no module. What
/// cannot be looked at is a finding, not an exception.
Findings examine_host(const Admin& admin);

/// The fields are an interface, described in zraid-pool(8).
Json to_json(const Findings& findings);

} // namespace zraid
