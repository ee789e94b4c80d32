#include "devices/partitions.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "util/process.h"
#include "util/size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::FakeSystem;
using test::TemporaryFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string with(std::size_t at, const std::string& text)
{
    std::string device(std::size_t{128} << 10U, '\0');
    return device.replace(at, text.size(), text);
}

TEST(ReadPartitionTable, TellsWhatADeviceBeginsWith)
{
    struct Case
    {
        const char* name;
        std::string content;
        PartitionTable expected;
    };
    const std::vector<Case> cases{
        {"zeros", with(0, ""), PartitionTable::none},
        {"no byte", "", PartitionTable::none},
        {"a few zeros", std::string(100, '\0'), PartitionTable::none},
        {"GPT behind a protective MBR", with(510, "\x55\xaa").replace(4096, 8, "EFI PART"),
         PartitionTable::gpt},
        {"GPT for sectors of 512 bytes", with(512, "EFI PART"), PartitionTable::other},
        {"an MBR", with(510, "\x55\xaa"), PartitionTable::other},
        {"ext4", with(1080, "\x53\xef"), PartitionTable::other},
        {"LVM in the second sector", with(512, "LABELONE"), PartitionTable::other},
        {"something behind the first sectors", with(65535, "x"), PartitionTable::other},
        {"data far behind", with(65536, "x"), PartitionTable::none},
        {"a cut GPT", with(4096, "EFI PART").substr(0, 4100), PartitionTable::other},
    };
    for (const Case& c : cases) {
        const TemporaryFolder folder;
        EXPECT_EQ(read_partition_table(folder.put("md100", c.content)), c.expected) << c.name;
    }
}

TEST(ReadPartitionTable, NamesTheDeviceThatIsNotThere)
{
    EXPECT_EQ(failure([] { read_partition_table("/no/md100"); }),
              "open '/no/md100': No such file or directory");
}

TEST(KernelPartitions, AreTheNumbersInSysfs)
{
    const FakeSystem system;
    system.put("sys/block/md100/md100p1/partition", "1\n");
    system.put("sys/block/md100/md100p12/partition", "12\n");
    system.put("sys/block/md100/md/array_state", "clean\n");
    system.put("sys/block/md100/size", "1000\n");
    system.put("sys/block/md100/md100p3/partition", "going away\n");
    EXPECT_THAT(kernel_partitions(system.paths, "md100"), ElementsAre(1, 12));
    EXPECT_THAT(kernel_partitions(system.paths, "md101"), IsEmpty());
}

/// A file of that size with a GPT of one partition, from 1 MiB to 3 MiB, as sfdisk makes it.
class GptOnAFile : public ::testing::Test
{
protected:
    GptOnAFile()
    {
        truncate(16 * MiB);
        run({{"sfdisk", "--quiet", device_}, Milliseconds{10'000}, {0}, {}, kScript});
    }
    void truncate(std::uint64_t size) const { std::filesystem::resize_file(device_, size); }
    /// sfdisk's dump, a field of each line that has it.
    std::string dump() const { return run({{"sfdisk", "--dump", device_}}).out; }

    static constexpr const char* kScript = "label: gpt\nstart=2048, size=4096, name=\"guest\", "
                                           "uuid=11111111-2222-3333-4444-555555555555\n"
                                           "start=16384, size=2048\n";

    TemporaryFolder folder_;
    std::string device_ = folder_.put("md100", "");
};

TEST_F(GptOnAFile, MovesItsSecondHeaderToTheNewEnd)
{
    EXPECT_THAT(dump(), HasSubstr("last-lba: 32734\n"));
    truncate(64 * MiB);
    use_whole_device(device_, -1);
    EXPECT_THAT(dump(), HasSubstr("last-lba: 131038\n"));
    EXPECT_THAT(dump(), HasSubstr("start=        2048, size=        4096"));
    use_whole_device(device_, -1);
    EXPECT_THAT(dump(), HasSubstr("last-lba: 131038\n"));
}

TEST_F(GptOnAFile, ExtendsAPartitionUpToTheNext)
{
    extend_partition(device_, 1, -1);
    EXPECT_THAT(dump(), HasSubstr("start=        2048, size=       14336"));
    EXPECT_THAT(dump(), HasSubstr("uuid=11111111-2222-3333-4444-555555555555, name=\"guest\""));
    EXPECT_THAT(dump(), HasSubstr("start=       16384, size=        2048"));
}

TEST_F(GptOnAFile, ExtendsTheLastPartitionToTheNewEnd)
{
    truncate(64 * MiB);
    use_whole_device(device_, -1);
    extend_partition(device_, 2, -1);
    EXPECT_THAT(dump(), HasSubstr("start=       16384, size=      114655"));
    extend_partition(device_, 2, -1);
    EXPECT_THAT(dump(), HasSubstr("start=       16384, size=      114655"));
    EXPECT_EQ(failure([&] { extend_partition(device_, 3, -1); }),
              "'" + device_ + "' has no partition 3");
}

} // namespace
} // namespace zraid
