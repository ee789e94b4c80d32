#pragma once

#include "admin/admin.h"
#include "pools/store.h"
#include "support/fake_system.h"
#include "support/pool_definitions.h"
#include "support/recorded_leg.h"
#include "support/test_driver.h"

#include <string>

#include <gtest/gtest.h>

namespace zraid::test {

/// A pool "vm" on /dev/md100 that is defined, over an image that is a disk leg.
class SavedPool : public ::testing::Test
{
protected:
    SavedPool()
    {
        pool_.image = system_.put("vm.img", recorded_leg());
        save();
    }
    /// What was changed in pool_.
    void save() const { PoolStore(system_.paths).save(pool_); }
    /// @param recording of its array, a file in tests/unit/data
    void put_array(const std::string& recording) const
    {
        system_.remove("sys/block/md100");
        system_.put_tree(recording, "sys/block/md100");
    }

    FakeSystem system_;
    Admin admin_{system_.paths, kTestDriver};
    PoolDefinition pool_ = pool_definition();
};

} // namespace zraid::test
