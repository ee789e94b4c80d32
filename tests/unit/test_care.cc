#include "monitor/care.h"

#include <gtest/gtest.h>

namespace zraid {

/// For gtest's messages.
void PrintTo(Care care, std::ostream* stream)
{
    *stream << to_string(care);
}

namespace {

std::optional<Leg> leg(const std::string& text)
{
    if (text == "none")
        return std::nullopt;
    return Leg{"x", text == "in_sync", text == "faulty"};
}

PoolView view(const char* disk, const char* ram)
{
    PoolView view;
    view.array = MdArray{};
    view.array->array_state = "clean";
    view.disk = leg(disk);
    view.ram = leg(ram);
    return view;
}

TEST(CareFor, FollowsFromTheLegsAndWhatIsWanted)
{
    struct Case
    {
        const char* disk;
        const char* ram;
        Care wanted;   ///< there should be a RAM leg
        Care unwanted; ///< there should be none
    };
    for (const Case& c :
         std::vector<Case>{{"in_sync", "in_sync", Care::none, Care::detach},
                           {"in_sync", "spare", Care::none, Care::detach},
                           {"in_sync", "faulty", Care::attach, Care::clear_ram_leg},
                           {"in_sync", "none", Care::attach, Care::none},
                           {"spare", "in_sync", Care::none, Care::none},
                           {"faulty", "in_sync", Care::repair_disk_leg, Care::repair_disk_leg},
                           {"none", "in_sync", Care::repair_disk_leg, Care::repair_disk_leg},
                           {"faulty", "faulty", Care::none, Care::none},
                           {"none", "none", Care::none, Care::none}}) {
        EXPECT_EQ(care_for(view(c.disk, c.ram), true), c.wanted) << c.disk << " " << c.ram;
        EXPECT_EQ(care_for(view(c.disk, c.ram), false), c.unwanted) << c.disk << " " << c.ram;
    }
}

TEST(CareFor, LetsGoOfADeviceThatIsLost)
{
    PoolView lost = view("in_sync", "in_sync");
    lost.image_kind = ImageKind::block;
    EXPECT_EQ(care_for(lost, false), Care::detach);
    lost.image_fault = ImageFault::gone;
    lost.in_doubt = true;
    EXPECT_EQ(care_for(lost, false), Care::repair_disk_leg);
    EXPECT_EQ(care_for(lost, true), Care::repair_disk_leg);
    lost.disk = leg("faulty");
    EXPECT_EQ(care_for(lost, true), Care::repair_disk_leg);
}

TEST(CareFor, ComparesBeforeTheRamLegMayGo)
{
    PoolView doubtful = view("in_sync", "in_sync");
    doubtful.in_doubt = true;
    EXPECT_EQ(care_for(doubtful, true), Care::verify);
    EXPECT_EQ(care_for(doubtful, false), Care::verify);
    doubtful.doubt_needs_word = true;
    EXPECT_EQ(care_for(doubtful, false), Care::none);
    PoolView cut = view("in_sync", "in_sync");
    cut.image_fault = ImageFault::too_short;
    cut.in_doubt = true;
    EXPECT_EQ(care_for(cut, true), Care::none) << "there is nothing to compare with yet";
}

TEST(CareFor, KeepsARamLegThatFailedInDoubt)
{
    PoolView failed = view("in_sync", "faulty");
    PoolView stray = view("in_sync", "none");
    stray.stray_zram = "zram0";
    for (PoolView pool : {failed, stray}) {
        pool.in_doubt = true;
        EXPECT_EQ(care_for(pool, true), Care::none);
        EXPECT_EQ(care_for(pool, false), Care::none);
    }
}

TEST(CareFor, LetsGoOfAnImageThatTakesNoData)
{
    PoolView dead = view("in_sync", "in_sync");
    dead.image_fault = ImageFault::unusable;
    EXPECT_EQ(care_for(dead, true), Care::repair_disk_leg);
    EXPECT_EQ(care_for(view("in_sync", "none"), false), Care::none);
}

TEST(CareFor, LeavesAPoolThatIsDown)
{
    PoolView down;
    EXPECT_EQ(care_for(down, true), Care::none);
    down.stray_zram = "zram0";
    EXPECT_EQ(care_for(down, false), Care::none);
}

TEST(CareFor, ClearsAZramOutsideOfTheArrayAway)
{
    PoolView stray = view("in_sync", "none");
    stray.stray_zram = "zram0";
    EXPECT_EQ(care_for(stray, false), Care::clear_ram_leg);
}

TEST(BackoffTest, WaitsTwiceAsLongEachTime)
{
    Backoff backoff(Milliseconds{1000}, Milliseconds{3000});
    const Backoff::Clock::time_point now{std::chrono::hours{1}};
    EXPECT_EQ(backoff.left(now).count(), 0);
    backoff.failed(now);
    EXPECT_EQ(backoff.left(now).count(), 1000);
    EXPECT_EQ(backoff.left(now + Milliseconds{400}).count(), 600);
    EXPECT_EQ(backoff.left(now + Milliseconds{1000}).count(), 0);
    EXPECT_EQ(backoff.left(now + Milliseconds{5000}).count(), 0);
    backoff.failed(now);
    EXPECT_EQ(backoff.left(now).count(), 2000);
    backoff.failed(now);
    backoff.failed(now);
    EXPECT_EQ(backoff.left(now).count(), 3000) << "no longer than that";
    backoff.succeeded();
    EXPECT_EQ(backoff.left(now).count(), 0);
    backoff.failed(now);
    EXPECT_EQ(backoff.left(now).count(), 1000);
}

TEST(OutgrownTest, MayFitWithMoreRoomOrLessData)
{
    const Outgrown outgrown{1000, 10000};
    EXPECT_FALSE(outgrown.may_fit(1000, 10000));
    EXPECT_FALSE(outgrown.may_fit(900, 9500));
    EXPECT_TRUE(outgrown.may_fit(1001, 10000));
    EXPECT_TRUE(outgrown.may_fit(1000, 8999));
}

} // namespace
} // namespace zraid
