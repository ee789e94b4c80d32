#include "devices/zram.h"
#include "memory/budget.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "util/size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::FakeSystem;

TEST(ReadMemory, ReadsTotalAndAvailable)
{
    const FakeSystem system;
    system.put("proc/meminfo", "MemTotal:        2014388 kB\n" // recorded
                               "MemFree:         1678544 kB\n"
                               "MemAvailable:    1720296 kB\n"
                               "Buffers:            1044 kB\n"
                               "HugePages_Total:       0\n"
                               "\n"
                               "Something new:  many\n");
    const MemoryInfo memory = read_memory(system.paths);
    EXPECT_EQ(memory.total, 2014388U * 1024);
    EXPECT_EQ(memory.available, 1720296U * 1024);
}

TEST(ReadMemory, RefusesToGuess)
{
    for (const char* text : {"", "MemTotal: 100 kB\n", "MemAvailable: 100 kB\n", "MemTotal 1 kB\n",
                             "MemTotal: x kB\nMemAvailable: y kB\n"}) {
        const FakeSystem system;
        system.put("proc/meminfo", text);
        EXPECT_EQ(failure([&] { read_memory(system.paths); }),
                  "'" + (system / "proc/meminfo").string() + "' has no MemTotal or MemAvailable")
            << text;
    }
    const FakeSystem system;
    EXPECT_EQ(failure([&] { read_memory(system.paths); }),
              "open '" + (system / "proc/meminfo").string() + "': No such file or directory");
}

TEST(WorstCase, IsTheTableAndWhatTheLimitAllows)
{
    const std::uint64_t table = zram_table_bytes(GiB);
    EXPECT_EQ(worst_case(GiB, 0), table + GiB);
    EXPECT_EQ(worst_case(GiB, 100 * MiB), table + 100 * MiB);
    EXPECT_EQ(worst_case(GiB, GiB), table + GiB);
    EXPECT_EQ(worst_case(GiB, 2 * GiB), table + GiB) << "no more than its size";
    EXPECT_EQ(worst_case(0, 0), 0U);
    EXPECT_EQ(worst_case(16 * TiB, 0), 96 * GiB + 16 * TiB);
}

TEST(RoomForRam, KeepsAReserve)
{
    EXPECT_EQ(room_for_ram({16 * GiB, 1000 * MiB}, {}), 1000 * MiB / 100 * 90);
    EXPECT_EQ(room_for_ram({16 * GiB, 0}, {}), 0U);
    EXPECT_EQ(room_for_ram({UINT64_MAX, UINT64_MAX}, {}), UINT64_MAX / 100 * 90);
}

TEST(RoomForRam, CountsWhatWasPromisedAndNotTakenYet)
{
    const MemoryInfo memory{16 * GiB, 1000 * MiB};
    const std::uint64_t all = room_for_ram(memory, {});
    EXPECT_EQ(room_for_ram(memory, {{100 * MiB, 300 * MiB}}), all - 200 * MiB);
    EXPECT_EQ(room_for_ram(memory, {{100 * MiB, 300 * MiB}, {0, 50 * MiB}}), all - 250 * MiB);
    EXPECT_EQ(room_for_ram(memory, {{300 * MiB, 300 * MiB}}), all)
        << "it is not available any more";
    EXPECT_EQ(room_for_ram(memory, {{400 * MiB, 300 * MiB}}), all) << "more than was promised";
    EXPECT_EQ(room_for_ram(memory, {{0, 900 * MiB}}), 0U);
    EXPECT_EQ(room_for_ram(memory, {{0, UINT64_MAX}, {0, UINT64_MAX}}), 0U);
}

} // namespace
} // namespace zraid
