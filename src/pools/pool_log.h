#pragma once

#include "pools/definition.h"
#include "util/log_fields.h"

namespace zraid {

/// What is logged from now on is about this pool: POOL=vm, MD=md100.
class PoolLog
{
public:
    explicit PoolLog(const PoolDefinition& pool)
        : name_("POOL", pool.name), md_("MD", pool.md_kernel_name())
    {
    }

private:
    LogField name_;
    LogField md_;
};

} // namespace zraid
