#include "admin/define.h"
#include "mirror/claims.h"
#include "pools/store.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/log_capture.h"
#include "support/pool_definitions.h"
#include "support/recorded_leg.h"
#include "support/resource_limit.h"
#include "support/saved_pool.h"
#include "support/test_driver.h"
#include "util/size.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zraid {
namespace {

using test::failure;
using test::failure_code;
using test::FakeSystem;
using test::FileSizeLimit;
using test::LogCapture;
using test::pool_definition;
using test::recorded_leg;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// A host on which all works up to the moment when a loop device is asked of the kernel: what
/// stands in for /dev/loop-control is a plain file. What comes behind that is for tests/lab.
class DefinePool : public ::testing::Test
{
protected:
    DefinePool()
    {
        system_.put("dev/loop-control", "");
        system_.put("sys/class/zram-control/hot_add", "0\n");
        system_.put("sys/block/zram0/comp_algorithm", "lzo [lzo-rle] zstd\n");
        system_.folder("sys/module/raid1");
        system_.folder("images");
    }
    DefineRequest request(const std::string& name = "vm") const
    {
        DefineRequest request;
        request.name = name;
        request.image = image(name);
        request.size = 16 * MiB;
        request.settings.libvirt = false;
        return request;
    }
    std::string image(const std::string& name) const { return system_ / ("images/" + name); }

    /// Another pool that is defined.
    PoolDefinition define_other()
    {
        PoolDefinition pool = pool_definition("other");
        pool.image = image("other");
        pool.md_number = 105;
        PoolStore(system_.paths).save(pool);
        return pool;
    }

    /// All files with their content, but for the locks and what is remembered of a schema's check.
    std::map<std::string, std::string> snapshot() const
    {
        std::map<std::string, std::string> files;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(system_.path())) {
            const std::string path = entry.path();
            if (path.find("/locks") != std::string::npos ||
                path.find("/run/valid") != std::string::npos || entry.is_directory())
                continue;
            files[path] = entry.is_regular_file() ? read_file(path, 128 * MiB) : "";
        }
        return files;
    }
    /// What a request fails with; it must not change anything.
    std::string refusal(const DefineRequest& request)
    {
        const auto before = snapshot();
        std::string text = failure([&] { define_pool(admin_, request); });
        EXPECT_TRUE(snapshot() == before) << "something was changed, though: " << text;
        EXPECT_EQ(text.find('\n'), std::string::npos);
        return text;
    }

    FakeSystem system_;
    Admin admin_{system_.paths, test::kTestDriver};
};

constexpr const char* kNoLoop = "find a free loop device: Inappropriate ioctl for device";

TEST_F(DefinePool, UndoesAllWhenTheArrayCannotBeMade)
{
    EXPECT_THAT(refusal(request()), HasSubstr(kNoLoop));
    DefineRequest with_libvirt = request();
    with_libvirt.settings.libvirt = true;
    EXPECT_THAT(refusal(with_libvirt), HasSubstr(kNoLoop));
    DefineRequest preallocated = request();
    preallocated.preallocate = true;
    EXPECT_THAT(refusal(preallocated), HasSubstr(kNoLoop));
}

TEST_F(DefinePool, LeavesAnImageThatWasThere)
{
    system_.put("images/vm", std::string(16 * MiB, '\0'));
    DefineRequest wanted = request();
    EXPECT_THAT(refusal(wanted), HasSubstr(kNoLoop));
    wanted.size.reset();
    EXPECT_THAT(refusal(wanted), HasSubstr(kNoLoop));
}

TEST_F(DefinePool, TakesUpTheArrayOfThisPoolAgain)
{
    system_.put("images/vm", recorded_leg() + std::string(15 * MiB, '\0'));
    EXPECT_THAT(refusal(request()), HasSubstr(kNoLoop));
}

TEST_F(DefinePool, LeavesTheChunksOfAnArrayThatIsThere)
{
    system_.put("images/vm", recorded_leg() + std::string(15 * MiB, '\0'));
    DefineRequest wanted = request();
    wanted.bitmap_chunk = 4 * MiB;
    EXPECT_THAT(refusal(wanted), HasSubstr(kNoLoop));
    wanted.bitmap_chunk = 8 * MiB;
    EXPECT_THAT(refusal(wanted),
                HasSubstr("has a bitmap chunk of 4 MiB, not 8 MiB. Next: leave out "
                          "--bitmap-chunk to take the array as it is"));
}

TEST_F(DefinePool, RefusesBadInput)
{
    struct Case
    {
        const char* name;
        std::function<void(DefineRequest&)> change;
        const char* text;
        int code;
    };
    const std::vector<Case> cases{
        {"a name", [](DefineRequest& r) { r.name = "a/b"; }, "'a/b' is no pool name", 2},
        {"no name", [](DefineRequest& r) { r.name = ""; }, "'' is no pool name", 2},
        {"no size", [](DefineRequest& r) { r.size.reset(); }, "there is no image '", 2},
        {"zero", [](DefineRequest& r) { r.size = 0; }, "0 B is too small for a pool", 2},
        {"too small", [](DefineRequest& r) { r.size = 16 * MiB - 1; },
         "is too small for a pool. Next: give at least 16M", 2},
        {"too large", [](DefineRequest& r) { r.size = 16 * TiB + 1; },
         "is too large for a pool. Next: give at most 16T", 2},
        {"a relative path", [](DefineRequest& r) { r.image = "vm.img"; },
         "image path 'vm.img' is relative", 2},
        {"an empty path", [](DefineRequest& r) { r.image = ""; }, "image path '' is relative", 2},
        {"a control character", [](DefineRequest& r) { r.image += "\x1b[2J"; },
         "the image path has control characters in it, or is not UTF-8", 2},
        {"a line end", [](DefineRequest& r) { r.image += "\n"; },
         "the image path has control characters in it, or is not UTF-8", 2},
        {"md number too large", [](DefineRequest& r) { r.md_number = 512; },
         "md number 512 is not possible. Next: give one from 0 to 511", 2},
        {"md number negative", [](DefineRequest& r) { r.md_number = -1; },
         "md number -1 is not possible", 2},
        {"limit too small", [](DefineRequest& r) { r.settings.ram_limit = MiB - 1; },
         "is too small. Next: give at least 1M", 2},
        {"bitmap chunk", [](DefineRequest& r) { r.bitmap_chunk = 3 * MiB; },
         "a bitmap chunk of 3145728 bytes is not possible", 2},
        {"bitmap chunk too small",
         [](DefineRequest& r) {
             r.bitmap_chunk = 64 * KiB;
             r.size = TiB;
         },
         "a bitmap chunk of 64 KiB is too small", 2},
        {"compressor", [](DefineRequest& r) { r.settings.compressor = "lz5"; },
         "this kernel has no compressor 'lz5'. Next: choose one of lzo, lzo-rle, zstd", 2},
        {"a folder that is not there", [](DefineRequest& r) { r.image = "/no/such/folder/vm"; },
         "No such file or directory", 1},
        {"a folder", [](DefineRequest& r) { r.image = "/tmp"; },
         "image '/tmp' is a directory, not a regular file", 1},
        {"a device", [](DefineRequest& r) { r.image = "/dev/null"; },
         "image '/dev/null' is something else, not a regular file", 1},
        {"a file that cannot be written, not even by root",
         [](DefineRequest& r) { r.image = "/proc/self/exe"; }, "open '/proc/self/exe': ", 1},
    };
    for (const Case& c : cases) {
        DefineRequest bad = request();
        c.change(bad);
        EXPECT_THAT(refusal(bad), HasSubstr(c.text)) << c.name;
        EXPECT_EQ(failure_code([&] { define_pool(admin_, bad); }), c.code) << c.name;
    }
}

TEST_F(DefinePool, RefusesTextThatADefinitionCannotHold)
{
    // It would be saved, and be broken when it is read next.
    for (const char* text : {"\x01", "a\x1b[1mb", "\xff\xfe", "a\xc3", "\xed\xa0\x80", "a\rb"}) {
        DefineRequest bad = request();
        bad.settings.description = text;
        EXPECT_THAT(refusal(bad), Not(HasSubstr(kNoLoop))) << ::testing::PrintToString(text);
        bad = request();
        bad.image += text;
        EXPECT_THAT(refusal(bad), Not(HasSubstr(kNoLoop))) << ::testing::PrintToString(text);
    }
    DefineRequest good = request();
    good.settings.description = "Größe: <b> & 'c'";
    good.image += " ü<&\"'>";
    EXPECT_THAT(refusal(good), HasSubstr(kNoLoop));
}

TEST_F(DefinePool, RefusesAnImageThatHoldsSomething)
{
    system_.put("images/vm", std::string(16 * MiB - 1, '\0') + "x");
    EXPECT_EQ(refusal(request()), "image '" + image("vm") +
                                      "' holds something already. Next: give an empty or a new "
                                      "file; nothing was changed");
}

TEST_F(DefinePool, RefusesTheArrayOfAnotherPool)
{
    system_.put("images/mail", recorded_leg() + std::string(15 * MiB, '\0'));
    EXPECT_EQ(refusal(request("mail")),
              "image '" + image("mail") +
                  "' holds the array 'zraid:vm', which is not this pool's. Next: define the pool "
                  "under the name that it was made with, or give another image");
}

TEST_F(DefinePool, RefusesAnImageOfAnotherSize)
{
    system_.put("images/vm", std::string(32 * MiB, '\0'));
    EXPECT_EQ(refusal(request()), "image '" + image("vm") +
                                      "' has 33554432 bytes, not 16777216. Next: leave out --size "
                                      "to take the image as it is");
    system_.put("images/vm", std::string(32 * MiB + 512, '\0'));
    DefineRequest wanted = request();
    wanted.size.reset();
    EXPECT_EQ(refusal(wanted), "the size of image '" + image("vm") +
                                   "', 33554944 bytes, is no multiple of 4096. Next: truncate -s "
                                   "%4096 '" +
                                   image("vm") + "' makes it one");
    system_.put("images/vm", std::string(4096, '\0'));
    EXPECT_THAT(refusal(wanted), HasSubstr("4 KiB is too small for a pool"));
}

TEST_F(DefinePool, RefusesTheImageOfAnotherPool)
{
    define_other();
    const std::string text = "' belongs to pool 'other' already. Next: give another image";
    DefineRequest same_path = request();
    same_path.image = image("other");
    EXPECT_EQ(refusal(same_path), "image '" + image("other") + text) << "not made yet";
    system_.put("images/other", std::string(16 * MiB, '\0'));
    system_.link("images/link", "other");
    std::filesystem::create_hard_link(image("other"), image("hard"));
    for (const std::string& path : {image("link"), image("hard"), image("./other")}) {
        DefineRequest same_file = request();
        same_file.image = path;
        EXPECT_EQ(refusal(same_file), "image '" + path + text);
    }
}

TEST_F(DefinePool, RefusesAnMdNumberInUse)
{
    define_other();
    DefineRequest wanted = request();
    wanted.md_number = 105;
    const std::string next = " is in use already. Next: give another --md, or none";
    EXPECT_EQ(refusal(wanted), "/dev/md105" + next);
    system_.put_tree("md100-mirrored.tree", "sys/block/md127");
    wanted.md_number = 127;
    EXPECT_EQ(refusal(wanted), "/dev/md127" + next);
    wanted.md_number = 0;
    EXPECT_THAT(refusal(wanted), HasSubstr(kNoLoop));
}

TEST_F(DefinePool, LeavesNothingWhereTheFileSystemIsAtItsEnd)
{
    const FileSizeLimit limit(8 * MiB);
    EXPECT_EQ(refusal(request()), "make an image of 16 MiB at '" + image("vm") +
                                      "': File too large. Next: its file system cannot hold so "
                                      "large a file");
}

TEST_F(DefinePool, ChangesNothingWithoutLibvirt)
{
    admin_.uri = test::kNoDriver;
    DefineRequest wanted = request();
    wanted.settings.libvirt = true;
    EXPECT_THAT(refusal(wanted),
                AllOf(HasSubstr("libvirt: connect to qemu+unix:///system?socket=/no/such/socket: "),
                      HasSubstr("--no-libvirt")));
    wanted.settings.libvirt = false;
    EXPECT_THAT(refusal(wanted), HasSubstr(kNoLoop));
}

TEST_F(DefinePool, RefusesANameThatLibvirtHasForAnotherPool)
{
    DefineRequest wanted = request("default-pool");
    wanted.settings.libvirt = true;
    EXPECT_EQ(refusal(wanted), "libvirt has another storage pool 'default-pool' already. Next: "
                               "choose another name, or --no-libvirt");
}

TEST_F(DefinePool, IsNotKeptFromWorkByABrokenDefinition)
{
    system_.put("etc/pools/broken.xml", "<zraidpool>\n");
    EXPECT_THAT(refusal(request()), HasSubstr(kNoLoop));
}

TEST_F(DefinePool, GoesOnWithTheSameRequestOnly)
{
    // Killed behind its first step: the definition is there.
    PoolDefinition pool = pool_definition();
    pool.image = image("vm");
    pool.size = 32 * MiB;
    pool.settings.description = "mail";
    pool.settings.compressor = "zstd";
    PoolStore(system_.paths).save(pool);
    DefineRequest same = request();
    same.size = 32 * MiB;
    same.settings.description = "mail";
    same.settings.compressor = "zstd";
    EXPECT_THAT(refusal(same), HasSubstr(kNoLoop));
    same.size = 32 * MiB - 1; // rounded up
    EXPECT_THAT(refusal(same), HasSubstr(kNoLoop));

    struct Case
    {
        const char* what;
        std::function<void(DefineRequest&)> change;
    };
    for (const Case& c : std::vector<Case>{
             {"image", [&](DefineRequest& r) { r.image += "2"; }},
             {"size", [](DefineRequest& r) { r.size = 16 * MiB; }},
             {"md number", [](DefineRequest& r) { r.md_number = 7; }},
             {"bitmap chunk", [](DefineRequest& r) { r.bitmap_chunk = 8 * MiB; }},
             {"setting", [](DefineRequest& r) { r.settings.compressor = ""; }},
             {"setting", [](DefineRequest& r) { r.settings.ram_limit = 8 * MiB; }},
             {"setting", [](DefineRequest& r) { r.settings.attach = AttachPolicy::always; }},
             {"setting", [](DefineRequest& r) { r.settings.autostart = false; }},
             {"setting", [](DefineRequest& r) { r.settings.libvirt = true; }},
             {"setting", [](DefineRequest& r) { r.settings.description = ""; }}}) {
        DefineRequest other = same;
        c.change(other);
        EXPECT_EQ(refusal(other), "the pool is defined already, with another " +
                                      std::string(c.what) +
                                      ". Next: zraid-pool dumpxml vm shows it; zraid-pool undefine "
                                      "vm takes it away");
    }
}

class UndefinePool : public test::SavedPool
{
protected:
    bool is_defined() const { return PoolStore(system_.paths).contains("vm"); }
    bool has_image() const { return std::filesystem::exists(pool_.image); }
};

TEST_F(UndefinePool, KeepsTheImage)
{
    undefine_pool(admin_, "vm", false);
    EXPECT_FALSE(is_defined());
    EXPECT_TRUE(has_image());
}

TEST_F(UndefinePool, RemovesTheImageIfAskedTo)
{
    undefine_pool(admin_, "vm", true);
    EXPECT_FALSE(is_defined());
    EXPECT_FALSE(has_image());
    save();
    EXPECT_EQ(failure([&] { undefine_pool(admin_, "vm", true); }), "no error") << "it is gone";
}

TEST_F(UndefinePool, SaysThatThereIsNoPool)
{
    EXPECT_EQ(failure([&] { undefine_pool(admin_, "other", true); }),
              "there is no pool 'other'. Next: zraid-pool list shows those that are defined");
}

TEST_F(UndefinePool, RefusesUsers)
{
    Claims(system_.paths, "vm").add({"test", Uuid::parse(test::kTestDomain)});
    EXPECT_EQ(failure([&] { undefine_pool(admin_, "vm", true); }),
              "it is used by 'test'. Next: shut the domains down first");
    EXPECT_TRUE(is_defined());
    EXPECT_TRUE(has_image());
}

TEST_F(UndefinePool, RefusesUsersThatItCannotAskFor)
{
    const LogCapture log;
    admin_.uri = test::kNoDriver;
    Claims(system_.paths, "vm").add({"web", Uuid::random()});
    EXPECT_THAT(failure([&] { undefine_pool(admin_, "vm", false); }),
                StartsWith("it is used by 'web'"));
    EXPECT_TRUE(is_defined());
}

TEST_F(UndefinePool, ForgetsUsersThatDoNotRun)
{
    Claims(system_.paths, "vm").add({"web", Uuid::random()});
    EXPECT_EQ(failure([&] { undefine_pool(admin_, "vm", false); }), "no error");
    EXPECT_FALSE(is_defined());
}

TEST_F(UndefinePool, ChangesNothingWhereLibvirtCannotBeReached)
{
    pool_.settings.libvirt = true;
    save();
    admin_.uri = test::kNoDriver;
    EXPECT_THAT(failure([&] { undefine_pool(admin_, "vm", true); }),
                StartsWith("libvirt: connect to"));
    EXPECT_TRUE(is_defined());
    EXPECT_TRUE(has_image());
}

TEST_F(UndefinePool, RefusesToGiveUpTheOnlyGoodCopy)
{
    system_.put_tree("md100-disk-faulty.tree", "sys/block/md100");
    EXPECT_THAT(failure([&] { undefine_pool(admin_, "vm", true); }),
                HasSubstr("the RAM leg holds the only good copy"));
    EXPECT_TRUE(is_defined());
    EXPECT_TRUE(has_image());
}

TEST_F(UndefinePool, TakesLibvirtsPoolAwayToo)
{
    const LibvirtConnection libvirt(test::kTestDriver);
    pool_.settings.libvirt = true;
    save();
    libvirt.define_pool("<pool type='dir'><name>vm</name><uuid>" + pool_.uuid.text() +
                        "</uuid><target><path>/dev</path></target></pool>");
    libvirt.start_pool("vm");
    undefine_pool(admin_, "vm", false);
    EXPECT_EQ(libvirt.find_pool("vm").has_value(), false);
    EXPECT_FALSE(is_defined());
}

} // namespace
} // namespace zraid
