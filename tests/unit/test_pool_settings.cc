#include "pools/pool_settings.h"
#include "support/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::failure_code;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

TEST(AttachPolicyTest, IsReadAsItIsWritten)
{
    for (const AttachPolicy policy : {AttachPolicy::on_demand, AttachPolicy::always})
        EXPECT_EQ(parse_attach_policy(to_string(policy)), policy);
    EXPECT_THAT(failure([] { parse_attach_policy("never"); }),
                AllOf(StartsWith("'never' is no way to attach. Next: "), HasSubstr("on-demand"),
                      HasSubstr("always")));
    EXPECT_EQ(failure_code([] { parse_attach_policy("Always"); }), 2);
}

TEST(WritesTest, IsReadAsItIsWritten)
{
    for (const Writes writes : {Writes::cached, Writes::through})
        EXPECT_EQ(parse_writes(to_string(writes)), writes);
    EXPECT_THAT(failure([] { parse_writes("behind"); }),
                AllOf(StartsWith("'behind' is no way to write. Next: "), HasSubstr("cached"),
                      HasSubstr("through")));
    EXPECT_EQ(failure_code([] { parse_writes(""); }), 2);
}

TEST(PoolSettingsTest, DifferInEachOfThem)
{
    const PoolSettings settings;
    EXPECT_EQ(settings, PoolSettings());
    using Change = void (*)(PoolSettings&);
    for (const Change change :
         std::initializer_list<Change>{[](PoolSettings& s) { s.description = "mail"; },
                                       [](PoolSettings& s) { s.attach = AttachPolicy::always; },
                                       [](PoolSettings& s) { s.writes = Writes::through; },
                                       [](PoolSettings& s) { s.compressor = "zstd"; },
                                       [](PoolSettings& s) { s.recompressor = "zstd"; },
                                       [](PoolSettings& s) { s.ram_limit = 1; },
                                       [](PoolSettings& s) { s.ram_required = true; },
                                       [](PoolSettings& s) { s.libvirt = false; },
                                       [](PoolSettings& s) { s.autostart = false; }}) {
        PoolSettings changed;
        change(changed);
        EXPECT_NE(changed, settings);
    }
}

} // namespace
} // namespace zraid
