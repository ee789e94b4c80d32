#include "admin/mdadm_mail.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "util/files.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zraid {
namespace {

using test::failure;
using test::FakeSystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class MdadmMail : public ::testing::Test
{
protected:
    MdadmMail()
    {
        system_.paths.libexec = system_.folder("libexec");
        const auto program = system_.put("libexec/zraid-md-alert", "");
        std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    }
    std::filesystem::path put(const std::string& content) const
    {
        return system_.put("host-etc/mdadm/mdadm.conf", content);
    }
    MdadmMailReport filter() const { return filter_mdadm_mail(system_.paths); }
    MdadmMailReport restore() const { return restore_mdadm_mail(system_.paths); }
    MdadmMailReport report() const { return report_mdadm_mail(system_.paths); }

    FakeSystem system_;
};

TEST_F(MdadmMail, IsFilteredAndRestored)
{
    const std::string content = "HOMEHOST <system>\nMAILADDR root\nPROGRAM /p\n";
    const auto file = put(content);
    EXPECT_EQ(report().route, AlertRoute::direct);

    MdadmMailReport done = filter();
    EXPECT_EQ(done.route, AlertRoute::filtered);
    EXPECT_THAT(done.changed, ElementsAre(file));
    EXPECT_EQ(done.administrator, (MonitorSettings{"root", "", "/p"}));
    EXPECT_EQ(report().route, AlertRoute::filtered);
    EXPECT_EQ(report().administrator, (MonitorSettings{"root", "", "/p"}));
    EXPECT_EQ(monitor_settings(read_mdadm_conf(system_.paths)),
              (MonitorSettings{"", "", system_.paths.md_alert().string()}));

    EXPECT_THAT(filter().changed, IsEmpty()) << "nothing left to do";
    done = restore();
    EXPECT_EQ(done.route, AlertRoute::direct);
    EXPECT_THAT(done.changed, ElementsAre(file));
    EXPECT_EQ(read_file(file), content);
    EXPECT_THAT(restore().changed, IsEmpty());
}

TEST_F(MdadmMail, LeavesAConfigurationWithoutListenerAlone)
{
    EXPECT_EQ(filter().route, AlertRoute::nobody) << "no file at all";
    EXPECT_EQ(restore().route, AlertRoute::nobody);
    const std::string content = "HOMEHOST <system>\nMAILADDR\nPROGRAM\n";
    const auto file = put(content);
    const MdadmMailReport done = filter();
    EXPECT_EQ(done.route, AlertRoute::nobody);
    EXPECT_THAT(done.changed, IsEmpty());
    EXPECT_EQ(read_file(file), content);
}

TEST_F(MdadmMail, KeepsModeAndOwnerAndLinks)
{
    const auto real = system_.put("elsewhere/mdadm.conf", "MAILADDR root\n");
    ASSERT_EQ(::chmod(real.c_str(), 0640), 0);
    if (::geteuid() == 0) {
        ASSERT_EQ(::chown(real.c_str(), 12, 34), 0);
    }
    const auto link = system_.link("host-etc/mdadm/mdadm.conf", real);
    filter();
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_THAT(read_file(real), HasSubstr("#zraid# MAILADDR root\n"));
    struct stat info = {};
    ASSERT_EQ(::stat(real.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0640U);
    if (::geteuid() == 0) {
        EXPECT_EQ(info.st_uid, 12U);
        EXPECT_EQ(info.st_gid, 34U);
    }
    EXPECT_THAT(entries_of(real.parent_path()), ElementsAre("mdadm.conf"));
}

TEST_F(MdadmMail, TakesDropInsToo)
{
    const auto main = put("MAILFROM x\n");
    const auto drop_in = system_.put("host-etc/mdadm/mdadm.conf.d/mail.conf", "MAILADDR root\n");
    EXPECT_THAT(filter().changed, ElementsAre(drop_in));
    EXPECT_EQ(report().route, AlertRoute::filtered);
    EXPECT_EQ(report().administrator, (MonitorSettings{"root", "x", ""}));
    restore();
    EXPECT_EQ(read_file(drop_in), "MAILADDR root\n");
    EXPECT_EQ(read_file(main), "MAILFROM x\n");
}

TEST_F(MdadmMail, TellsWhatWasChangedByOthers)
{
    const auto file = put("MAILADDR root\n");
    filter();
    const std::string filtered = read_file(file);
    put(filtered + "MAILADDR other\n");
    EXPECT_EQ(report().route, AlertRoute::mixed);
    EXPECT_EQ(report().problem, "mdadm also sends its mail to 'other' itself");
    EXPECT_EQ(filter().route, AlertRoute::filtered);
    EXPECT_EQ(report().administrator.mail_address, "root");

    put("#zraid# MAILADDR root\n");
    EXPECT_EQ(report().route, AlertRoute::mixed);
    EXPECT_EQ(report().problem, "the line that names zraid-md-alert is missing");
    EXPECT_EQ(filter().route, AlertRoute::filtered);

    put("PROGRAM /old/zraid-md-alert\n#zraid# MAILADDR root\n");
    EXPECT_THAT(report().problem, HasSubstr("mdadm calls '/old/zraid-md-alert'"));
    EXPECT_EQ(filter().route, AlertRoute::filtered);
    EXPECT_EQ(read_file(file), filtered);

    system_.remove("libexec/zraid-md-alert");
    EXPECT_EQ(report().route, AlertRoute::mixed);
    EXPECT_THAT(report().problem, HasSubstr("cannot be run"));
}

TEST_F(MdadmMail, IsNotHandedToAProgramThatIsNotThere)
{
    const auto file = put("MAILADDR root\n");
    system_.remove("libexec/zraid-md-alert");
    EXPECT_THAT(failure([&] { filter(); }), HasSubstr("nothing was changed"));
    EXPECT_EQ(read_file(file), "MAILADDR root\n");
}

} // namespace
} // namespace zraid
