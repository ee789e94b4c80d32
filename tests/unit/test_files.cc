#include "support/failure.h"
#include "support/resource_limit.h"
#include "support/temporary_folder.h"
#include "util/fd.h"
#include "util/files.h"

#include <array>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zraid {
namespace {

using test::failure;
using test::FileSizeLimit;
using test::mode_of;
using test::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(ReadFile, GivesAllOfIt)
{
    const TemporaryFolder folder;
    std::string content(300'000, 'x');
    content[7] = '\0';
    EXPECT_EQ(read_file(folder.put("file", content)), content);
    EXPECT_EQ(read_file(folder.put("empty", "")), "");
}

TEST(ReadFile, TakesAFileAsLongAsTheLimitAndNoLonger)
{
    const TemporaryFolder folder;
    const auto file = folder.put("file", "12345");
    EXPECT_EQ(read_file(file, 5), "12345");
    EXPECT_EQ(failure([&] { read_file(file, 4); }),
              "read '" + file.string() + "': longer than 4 bytes");
}

TEST(ReadFile, NamesTheMissingFile)
{
    EXPECT_EQ(failure([] { read_file("/no/such/file"); }),
              "open '/no/such/file': No such file or directory");
}

TEST(ReadAll, ReadsAPipeToItsEnd)
{
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    std::thread thread([&] {
        for (int i = 0; i < 100; ++i)
            EXPECT_EQ(::write(writer.get(), std::string(1000, 'a').data(), 1000), 1000);
        writer.reset();
    });
    EXPECT_EQ(read_all(reader.get(), "a pipe", 100'000).size(), 100'000U);
    thread.join();
}

TEST(ReadAll, NamesWhatItReads)
{
    EXPECT_EQ(failure([] { read_all(-1, "domain XML on stdin", 10); }),
              "read 'domain XML on stdin': Bad file descriptor");
}

TEST(ReadIfThere, TellsMissingFromUnreadable)
{
    const TemporaryFolder folder;
    EXPECT_EQ(read_if_there(folder.put("file", "text")), "text");
    EXPECT_EQ(read_if_there(folder / "missing"), std::nullopt);
    EXPECT_EQ(read_if_there(folder / "missing/file"), std::nullopt);
    EXPECT_EQ(failure([&] { read_if_there(folder / "file/below"); }),
              "open '" + (folder / "file/below").string() + "': Not a directory");
    EXPECT_EQ(failure([&] { read_if_there(folder.path()); }),
              "read '" + folder.path().string() + "': Is a directory");
}

TEST(ReadAttribute, DropsTheLineEnd)
{
    const TemporaryFolder folder;
    EXPECT_EQ(read_attribute(folder.put("a", "clean\n")), "clean");
    EXPECT_EQ(read_attribute(folder.put("a", "clean")), "clean");
    EXPECT_EQ(read_attribute(folder.put("a", "  1 2 \n\n")), "  1 2");
    EXPECT_EQ(read_attribute(folder.put("a", "\n")), "");
    EXPECT_EQ(read_attribute(folder.put("a", "")), "");
}

TEST(ReadAttribute, IsNothingWhereThereIsNone)
{
    const TemporaryFolder folder;
    EXPECT_EQ(read_attribute(folder / "missing"), std::nullopt);
    EXPECT_EQ(read_attribute(folder / "missing/attribute"), std::nullopt);
    folder.put("file", "");
    EXPECT_EQ(read_attribute(folder / "file/attribute"), std::nullopt);
}

TEST(ReadAttribute, ThrowsWhereItCannotBeRead)
{
    const TemporaryFolder folder;
    EXPECT_THAT(failure([&] { read_attribute(folder.path()); }), HasSubstr("Is a directory"));
    EXPECT_THAT(failure([&] { read_attribute(folder.link("loop", folder / "loop")); }),
                HasSubstr("Too many levels of symbolic links"));
}

TEST(WriteAttribute, WritesToWhatIsThere)
{
    const TemporaryFolder folder;
    write_attribute(folder.put("attribute", ""), "12345");
    EXPECT_EQ(read_file(folder / "attribute"), "12345");
}

TEST(WriteAttribute, MakesNoFile)
{
    const TemporaryFolder folder;
    const std::string file = folder / "attribute";
    EXPECT_EQ(failure([&] { write_attribute(file, "1"); }),
              "open '" + file + "': No such file or directory");
    EXPECT_THAT(entries_of(folder.path()), IsEmpty());
}

TEST(WriteAttribute, SaysWhatWasRefusedWhere)
{
    EXPECT_EQ(failure([] { write_attribute("/dev/full", "lz5"); }),
              "write 'lz5' to '/dev/full': No space left on device");
}

// What it does where a file is busy is for tests/lab: an ordinary file never is.
TEST(WriteWhenFree, TakesAFileThatIsGoneForDone)
{
    const TemporaryFolder folder;
    EXPECT_TRUE(write_when_free(folder.put("state", ""), "remove", Milliseconds{0}));
    EXPECT_EQ(read_file(folder / "state"), "remove");
    EXPECT_TRUE(write_when_free(folder / "gone", "remove", Milliseconds{0}));
}

TEST(WriteWhenFree, RepeatsNothingThatIsRefusedForGood)
{
    EXPECT_EQ(failure([] { write_when_free("/dev/full", "remove", Milliseconds{60'000}); }),
              "write 'remove' to '/dev/full': No space left on device");
}

TEST(SaveAtomically, WritesContentAndMode)
{
    const TemporaryFolder folder;
    const auto file = folder / "vm.xml";
    const std::string content(200'000, 'x');
    const mode_t old_mask = ::umask(0277);
    save_atomically(file, content, 0640);
    ::umask(old_mask);
    EXPECT_EQ(read_file(file), content);
    EXPECT_EQ(mode_of(file), 0640U);
    EXPECT_THAT(entries_of(folder.path()), ElementsAre("vm.xml"));
}

TEST(SaveAtomically, ReplacesTheFileInsteadOfWritingIntoIt)
{
    const TemporaryFolder folder;
    const auto file = folder.put("vm.xml", "a longer old content");
    std::filesystem::create_hard_link(file, folder / "old");
    ::chmod(file.c_str(), 0666);
    save_atomically(file, "new", 0600);
    EXPECT_EQ(read_file(file), "new");
    EXPECT_EQ(mode_of(file), 0600U);
    EXPECT_EQ(read_file(folder / "old"), "a longer old content");
    EXPECT_THAT(entries_of(folder.path()), ElementsAre("old", "vm.xml"));
}

TEST(SaveAtomically, FailsInAMissingFolder)
{
    const TemporaryFolder folder;
    EXPECT_THAT(failure([&] { save_atomically(folder / "missing/vm.xml", "text", 0600); }),
                AllOf(StartsWith("open '" + (folder / "missing/vm.xml").string()),
                      HasSubstr(": No such file or directory")));
    EXPECT_THAT(entries_of(folder.path()), IsEmpty());
}

TEST(SaveAtomically, LeavesTheOldContentWhenItIsCutShort)
{
    const TemporaryFolder folder;
    const auto file = folder.put("vm.xml", "old");
    {
        const FileSizeLimit limit(1000);
        EXPECT_THAT(failure([&] { save_atomically(file, std::string(5000, 'x'), 0600); }),
                    AllOf(StartsWith("write '" + file.string()), HasSubstr(": File too large")));
    }
    EXPECT_EQ(read_file(file), "old");
    EXPECT_THAT(entries_of(folder.path()), ElementsAre("vm.xml"));
}

TEST(SaveAtomically, LeavesNoTemporaryWhenTheRenameFails)
{
    const TemporaryFolder folder;
    folder.folder("vm.xml");
    EXPECT_THAT(failure([&] { save_atomically(folder / "vm.xml", "text", 0600); }),
                AllOf(StartsWith("rename '"), HasSubstr("to '" + (folder / "vm.xml").string()),
                      HasSubstr(": Is a directory")));
    EXPECT_THAT(entries_of(folder.path()), ElementsAre("vm.xml"));
}

TEST(RemoveDurably, SaysWhetherThereWasOne)
{
    const TemporaryFolder folder;
    const auto file = folder.put("file", "");
    EXPECT_TRUE(remove_durably(file));
    EXPECT_FALSE(remove_durably(file));
    EXPECT_FALSE(remove_durably(folder / "missing/file"));
    EXPECT_EQ(failure([&] { remove_durably(folder.folder("sub")); }),
              "remove '" + (folder / "sub").string() + "': Is a directory");
}

TEST(MakeFolder, MakesParentsWithTheMode)
{
    const TemporaryFolder folder;
    make_folder(folder / "a/b/c", 0700);
    for (const char* name : {"a", "a/b", "a/b/c"})
        EXPECT_EQ(mode_of(folder / name), 0700U) << name;
    ::chmod((folder / "a/b").c_str(), 0750);
    make_folder(folder / "a/b", 0700);
    EXPECT_EQ(mode_of(folder / "a/b"), 0750U) << "an existing one is left as it is";
}

TEST(MakeFolder, FailsWhereAFileIsInTheWay)
{
    const TemporaryFolder folder;
    folder.put("file", "");
    EXPECT_THAT(failure([&] { make_folder(folder / "file", 0700); }),
                HasSubstr("make folder '" + (folder / "file").string() + "'"));
    EXPECT_THAT(failure([&] { make_folder(folder / "file/below", 0700); }),
                HasSubstr("make folder '" + (folder / "file").string()));
}

TEST(EntriesOf, AreSorted)
{
    const TemporaryFolder folder;
    for (const char* name : {"md2", "md10", "a", ".hidden"})
        folder.put(name, "");
    EXPECT_THAT(entries_of(folder.path()), ElementsAre(".hidden", "a", "md10", "md2"));
}

TEST(EntriesOf, TellsAMissingFolderFromAnUnreadableOne)
{
    const TemporaryFolder folder;
    EXPECT_THAT(entries_of(folder / "missing"), IsEmpty());
    EXPECT_EQ(failure([&] { entries_of(folder.put("file", "")); }),
              "list '" + (folder / "file").string() + "': Not a directory");
}

TEST(ReplaceAtomically, KeepsModeOwnerAndLink)
{
    const TemporaryFolder folder;
    const auto file = folder.put("real/file", "old");
    ASSERT_EQ(::chmod(file.c_str(), 0604), 0);
    if (::geteuid() == 0) {
        ASSERT_EQ(::chown(file.c_str(), 12, 34), 0);
    }
    const auto link = folder.link("link", "real/file");
    replace_atomically(link, "new");
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_EQ(read_file(file), "new");
    EXPECT_EQ(mode_of(file), 0604U);
    struct stat info = {};
    ASSERT_EQ(::stat(file.c_str(), &info), 0);
    if (::geteuid() == 0) {
        EXPECT_EQ(info.st_uid, 12U);
        EXPECT_EQ(info.st_gid, 34U);
    }
    EXPECT_THAT(entries_of(folder / "real"), ElementsAre("file"));
}

TEST(ReplaceAtomically, LeavesTheOldFileWhereThereIsNoRoom)
{
    const TemporaryFolder folder;
    const auto file = folder.put("file", "old");
    folder.put("file.zraid-new", "left by one that was killed");
    {
        const FileSizeLimit limit(4096);
        EXPECT_THAT(failure([&] { replace_atomically(file, std::string(10'000, 'x')); }),
                    HasSubstr("write '"));
    }
    EXPECT_EQ(read_file(file), "old");
    EXPECT_THAT(entries_of(folder.path()), ElementsAre("file"));
}

TEST(ReplaceAtomically, WantsAFile)
{
    const TemporaryFolder folder;
    EXPECT_EQ(failure([&] { replace_atomically(folder / "file", "new"); }),
              "open '" + (folder / "file").string() + "': No such file or directory");
    EXPECT_THAT(entries_of(folder.path()), IsEmpty());
}

} // namespace
} // namespace zraid
