#pragma once

#include "pools/adoption_record.h"
#include "support/fake_system.h"
#include "support/pool_definitions.h"

namespace zraid::test {

/// Of a disk of 7 bytes, web.img, that is copied into a pool of its own.
inline AdoptionRecord copied_record(const FakeSystem& system)
{
    AdoptionRecord record;
    record.image = system.put("web.img", "content");
    record.size = 7;
    record.way = AdoptionWay::copied;
    record.domain = "web";
    record.target = "vda";
    record.pool = pool_definition("web");
    record.pool.image = record.image + ".zraid";
    return record;
}

} // namespace zraid::test
