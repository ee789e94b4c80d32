#include "admin/md_alert.h"
#include "support/log_capture.h"
#include "support/saved_pool.h"
#include "util/files.h"
#include "util/lock.h"

#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::LogCapture;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

PoolView view_of(std::optional<Leg> disk, std::optional<Leg> ram)
{
    PoolView view;
    view.array = MdArray{};
    view.array->array_state = "clean";
    view.disk = std::move(disk);
    view.ram = std::move(ram);
    return view;
}

const Leg kGood{"x", true, false};
const Leg kFilling{"x", false, false};
const Leg kFaulty{"x", false, true};

bool passed_on(const std::string& event, AlertMember member, const PoolView& view,
               const std::optional<std::string>& component = {})
{
    return judge_alert(MdAlert{event, "/dev/md100", component}, member, view).passed_on;
}

TEST(JudgeAlert, KeepsQuietWhileTheDiskLegIsGood)
{
    for (const auto& ram : {std::optional<Leg>{}, std::optional(kGood), std::optional(kFilling),
                            std::optional(kFaulty)}) {
        const PoolView view = view_of(kGood, ram);
        for (const char* event : {"DegradedArray", "NewArray", "DeviceDisappeared",
                                  "RebuildStarted", "Rebuild20", "Rebuild80", "RebuildFinished"})
            EXPECT_FALSE(passed_on(event, AlertMember::none, view)) << event;
        for (const char* event : {"Fail", "FailSpare", "SpareActive"})
            EXPECT_FALSE(passed_on(event, AlertMember::ram_leg, view)) << event;
        EXPECT_FALSE(passed_on("SpareActive", AlertMember::other, view)) << "after a repair";
    }
}

TEST(JudgeAlert, PassesOnWhatZraidDoesNotDo)
{
    const PoolView view = view_of(kGood, kGood);
    for (const char* event :
         {"TestMessage", "SparesMissing", "MoveSpare", "", "Something", "Failed", "degradedarray"})
        EXPECT_TRUE(passed_on(event, AlertMember::ram_leg, view)) << event;
    for (const char* event : {"Fail", "FailSpare"}) {
        EXPECT_TRUE(passed_on(event, AlertMember::other, view)) << event << " of the disk leg";
        EXPECT_TRUE(passed_on(event, AlertMember::none, view)) << event;
    }
    EXPECT_TRUE(passed_on("RebuildFinished", AlertMember::none, view,
                          " mismatches found: 128 (on raid level 1)"));
}

TEST(JudgeAlert, PassesOnEverythingOnceTheDiskLegIsLost)
{
    const std::vector<PoolView> views{
        view_of({}, kGood),        view_of(kFaulty, kGood), view_of(kFilling, kGood),
        view_of(kFaulty, kFaulty), view_of({}, {}),         view_of(kFilling, kFilling),
    };
    for (const PoolView& view : views) {
        for (const char* event : {"DegradedArray", "Fail", "FailSpare", "SpareActive", "NewArray",
                                  "RebuildStarted", "DeviceDisappeared"})
            EXPECT_TRUE(passed_on(event, AlertMember::ram_leg, view))
                << event << " " << to_string(view.state());
    }
}

TEST(JudgeAlert, PassesOnEverythingWhileTheImageCannotBeTrusted)
{
    for (const ImageFault fault : {ImageFault::gone, ImageFault::replaced, ImageFault::too_short}) {
        PoolView view = view_of(kGood, kGood);
        view.image_fault = fault;
        EXPECT_TRUE(passed_on("Fail", AlertMember::ram_leg, view));
        EXPECT_TRUE(passed_on("DegradedArray", AlertMember::none, view));
    }
    PoolView view = view_of(kGood, kFaulty);
    view.in_doubt = true;
    EXPECT_TRUE(passed_on("Fail", AlertMember::ram_leg, view)) << "it had the only good copy";
}

TEST(JudgeAlert, KnowsAStoppedPool)
{
    PoolView view;
    EXPECT_FALSE(passed_on("DeviceDisappeared", AlertMember::none, view));
    EXPECT_TRUE(passed_on("Fail", AlertMember::other, view)) << "and then it was stopped by hand";
    view.stray_is_newer = true;
    EXPECT_TRUE(passed_on("DeviceDisappeared", AlertMember::none, view));
    view.stray_is_newer = false;
    view.stray_array = 127;
    EXPECT_TRUE(passed_on("DeviceDisappeared", AlertMember::none, view));
    view = view_of(kGood, {});
    view.array->array_state = "inactive";
    EXPECT_TRUE(passed_on("DeviceDisappeared", AlertMember::none, view));
}

TEST(IsMailed, SaysWhatMdadmMails)
{
    for (const char* event : {"Fail", "FailSpare", "TestMessage", "SparesMissing", "DegradedArray"})
        EXPECT_TRUE(is_mailed(event)) << event;
    for (const char* event : {"SpareActive", "NewArray", "DeviceDisappeared", "MoveSpare",
                              "RebuildStarted", "RebuildFinished", ""})
        EXPECT_FALSE(is_mailed(event)) << event;
}

/// A pool 'vm' on /dev/md100, an mdadm.conf that is filtered, a sendmail that records.
class MdAlertTest : public test::SavedPool
{
protected:
    MdAlertTest()
    {
        system_.put("proc/devices", "Character devices:\n252 zram\n\nBlock devices:\n  7 loop\n"
                                    "  9 md\n251 zram\n254 mdp\n");
        system_.put("proc/mdstat", "Personalities : [raid1]\nmd100 : active raid1 loop0[0](W)\n");
        put_configuration("#zraid# MAILADDR admin@example.org\n#zraid# PROGRAM /opt/alarm\n"
                          "PROGRAM /usr/libexec/zraid/zraid-md-alert\n");
        system_.put("sendmail", "#!/bin/sh\necho \"$*\" >" + (system_ / "arguments").string() +
                                    "\ncat >" + (system_ / "mail").string() + "\n");
        std::filesystem::permissions(system_.paths.sendmail, std::filesystem::perms::owner_all);
    }
    void put_configuration(const std::string& content) const
    {
        system_.put("host-etc/mdadm/mdadm.conf", content);
    }
    AlertVerdict judge(const MdAlert& alert) const { return judge_alert(system_.paths, alert); }
    std::vector<std::string> handle(const MdAlert& alert) const
    {
        system_.remove("mail");
        return handle_md_alert(system_.paths, alert);
    }
    std::string mail() const { return read_if_there(system_ / "mail").value_or("no mail"); }
};

TEST_F(MdAlertTest, JudgesRecordedArrays)
{
    for (const char* recording : {"md100-disk-only.tree", "md100-filling.tree",
                                  "md100-mirrored.tree", "md100-ram-faulty.tree"}) {
        put_array(recording);
        EXPECT_FALSE(judge({"DegradedArray", "/dev/md100", {}}).passed_on) << recording;
        EXPECT_FALSE(judge({"Fail", "/dev/md100", "/dev/zram0"}).passed_on) << recording;
        EXPECT_TRUE(judge({"Fail", "/dev/md100", "/dev/loop0"}).passed_on) << recording;
    }
    for (const char* recording : {"md100-disk-faulty.tree", "md100-ram-only.tree"}) {
        put_array(recording);
        const AlertVerdict verdict = judge({"DegradedArray", "/dev/md100", {}});
        EXPECT_TRUE(verdict.passed_on) << recording;
        EXPECT_EQ(verdict.why, "pool 'vm', ram-only: the disk leg is lost");
    }
    system_.remove("sys/block/md100");
    EXPECT_FALSE(judge({"DeviceDisappeared", "/dev/md100", {}}).passed_on);
}

TEST_F(MdAlertTest, TellsARamLegByItsNumberWhereTheNodeIsGone)
{
    put_array("md100-disk-only.tree");
    EXPECT_FALSE(judge({"Fail", "/dev/md100", "251:0"}).passed_on);
    for (const char* other : {"252:0", "7:0", "zram0", "/dev/zram", "/dev/zramx", "/dev/sda", "",
                              ":", "251", "/dev/loop251:0", "99999999999999999999:0"})
        EXPECT_TRUE(judge({"Fail", "/dev/md100", other}).passed_on) << other;
    system_.remove("proc/devices");
    EXPECT_FALSE(judge({"Fail", "/dev/md100", "/dev/zram7"}).passed_on);
    EXPECT_TRUE(judge({"Fail", "/dev/md100", "251:0"}).passed_on) << "cannot be told";
}

TEST_F(MdAlertTest, FindsTheArrayBehindALink)
{
    put_array("md100-disk-only.tree");
    system_.put("dev/md100", "");
    system_.link("dev/md/zraid:vm", "../md100");
    EXPECT_FALSE(judge({"DegradedArray", "/dev/md/zraid:vm", {}}).passed_on);
    EXPECT_TRUE(judge({"DegradedArray", "/dev/md/other", {}}).passed_on);
}

TEST_F(MdAlertTest, HasNoSayInArraysOfOthers)
{
    put_array("md100-disk-only.tree");
    for (const char* device : {"/dev/md101", "/dev/md1", "/dev/md10", "/dev/md", "/dev/md100p1",
                               "/dev/sda", "", "/dev/md99999999999999999999"}) {
        const AlertVerdict verdict = judge({"DegradedArray", device, {}});
        EXPECT_TRUE(verdict.passed_on) << device;
        EXPECT_EQ(verdict.why, "") << device;
    }
    system_.put("sys/block/md100/md/uuid", "11111111-1111-1111-1111-111111111111\n");
    EXPECT_TRUE(judge({"DegradedArray", "/dev/md100", {}}).passed_on) << "the number is taken";
}

TEST_F(MdAlertTest, PassesOnWhatCannotBeFoundOut)
{
    put_array("md100-disk-only.tree");
    system_.put("etc/pools/vm.xml", "<pool");
    EXPECT_TRUE(judge({"DegradedArray", "/dev/md100", {}}).passed_on);
    save();
    system_.put("etc/pools/broken.xml", "<pool");
    EXPECT_FALSE(judge({"DegradedArray", "/dev/md100", {}}).passed_on) << "another pool's";
    system_.remove("sys/block/md100/md/array_state");
    system_.folder("sys/block/md100/md/array_state");
    const AlertVerdict verdict = judge({"DegradedArray", "/dev/md100", {}});
    EXPECT_TRUE(verdict.passed_on);
    EXPECT_THAT(verdict.why, HasSubstr("array_state"));
}

TEST_F(MdAlertTest, LooksAtAPoolWhenOthersAreDoneWithIt)
{
    put_array("md100-ram-only.tree");
    std::optional<FileLock> lock(std::in_place, system_.paths.lock("vm"), Milliseconds{0});
    std::thread other([&] {
        std::this_thread::sleep_for(Milliseconds{300});
        put_array("md100-disk-only.tree");
        lock.reset();
    });
    EXPECT_FALSE(judge({"DegradedArray", "/dev/md100", {}}).passed_on);
    other.join();
}

TEST_F(MdAlertTest, TellsNobodyWhereAllIsWell)
{
    put_array("md100-disk-only.tree");
    const LogCapture log(LogLevel::info);
    EXPECT_THAT(handle({"DegradedArray", "/dev/md100", {}}), IsEmpty());
    EXPECT_EQ(mail(), "no mail");
    EXPECT_THAT(log.lines(), ElementsAre("info: DegradedArray on /dev/md100: pool 'vm', disk-only: "
                                         "as it should be; nobody is told"));
}

TEST_F(MdAlertTest, MailsAndCallsTheAdministratorsProgram)
{
    put_array("md100-disk-faulty.tree");
    EXPECT_THAT(handle({"Fail", "/dev/md100", "/dev/loop0"}),
                ElementsAre("/opt/alarm", "Fail", "/dev/md100", "/dev/loop0"));
    EXPECT_THAT(mail(), StartsWith("From: mdadm monitoring <root@"));
    EXPECT_THAT(mail(), AllOf(HasSubstr(">\nTo: admin@example.org\n"),
                              HasSubstr("\nSubject: Fail event on /dev/md100:"),
                              HasSubstr("\nEvent:     Fail\nArray:     /dev/md100\n"
                                        "Component: /dev/loop0\n"),
                              HasSubstr("pool 'vm', ram-only: the disk leg is lost\n"),
                              HasSubstr("\n\nPersonalities : [raid1]\nmd100 : active")));
    EXPECT_EQ(read_file(system_ / "arguments"), "-t\n");
}

TEST_F(MdAlertTest, PassesOnWhatOthersArraysDo)
{
    put_array("md100-disk-only.tree");
    put_configuration("#zraid# MAILADDR admin\nMAILFROM Disks <disks@example.org>\n");
    EXPECT_THAT(handle({"DegradedArray", "/dev/md0", {}}), IsEmpty()) << "no PROGRAM";
    EXPECT_THAT(mail(), AllOf(StartsWith("From: Disks <disks@example.org>\nTo: admin\n"),
                              Not(HasSubstr("Component")), Not(HasSubstr("zraid"))));
}

TEST_F(MdAlertTest, CallsTheProgramForEventsWithoutMail)
{
    EXPECT_THAT(handle({"RebuildFinished", "/dev/md0", " mismatches found: 128"}),
                ElementsAre("/opt/alarm", "RebuildFinished", "/dev/md0", " mismatches found: 128"));
    EXPECT_EQ(mail(), "no mail");
    EXPECT_THAT(handle({"NewArray", "/dev/md0", {}}),
                ElementsAre("/opt/alarm", "NewArray", "/dev/md0"));
    EXPECT_THAT(handle({"SparesMissing", "/dev/md0", " 1 of 2"}),
                ElementsAre("/opt/alarm", "SparesMissing", "/dev/md0", " 1 of 2"));
    EXPECT_THAT(mail(), HasSubstr("\nDetails:   1 of 2\n"));
}

TEST_F(MdAlertTest, StillTellsWhileAnOldMonitorRunsAfterARestore)
{
    put_configuration("MAILADDR admin\nPROGRAM /opt/alarm\n");
    EXPECT_THAT(handle({"DegradedArray", "/dev/md0", {}}),
                ElementsAre("/opt/alarm", "DegradedArray", "/dev/md0"));
    EXPECT_THAT(mail(), HasSubstr("To: admin\n"));
}

TEST_F(MdAlertTest, MailsRootWhereTheConfigurationCannotBeRead)
{
    system_.remove("host-etc/mdadm/mdadm.conf");
    system_.folder("host-etc/mdadm/mdadm.conf");
    EXPECT_THAT(handle({"DegradedArray", "/dev/md0", {}}), IsEmpty());
    EXPECT_THAT(mail(), HasSubstr("To: root\n"));
}

TEST_F(MdAlertTest, MailsWithoutMdstat)
{
    system_.remove("proc/mdstat");
    handle({"DegradedArray", "/dev/md0", {}});
    EXPECT_THAT(mail(), HasSubstr("mdstat': No such file"));
}

TEST_F(MdAlertTest, CallsTheProgramEvenIfNoMailCanBeSent)
{
    system_.remove("sendmail");
    const LogCapture log(LogLevel::error);
    EXPECT_THAT(handle({"DegradedArray", "/dev/md0", {}}),
                ElementsAre("/opt/alarm", "DegradedArray", "/dev/md0"));
    EXPECT_THAT(log.lines(), ElementsAre(HasSubstr("sendmail")));
}

TEST_F(MdAlertTest, NeverCallsItself)
{
    put_configuration("#zraid# PROGRAM /elsewhere/zraid-md-alert\n");
    EXPECT_THAT(handle({"NewArray", "/dev/md0", {}}), IsEmpty());
}

} // namespace
} // namespace zraid
