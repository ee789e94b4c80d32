#include "devices/superblock.h"
#include "support/failure.h"
#include "support/recorded_leg.h"
#include "support/temporary_folder.h"
#include "util/files.h"
#include "util/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace zraid {
namespace {

using test::failure;
using test::LegOffset;
using test::number_in;
using test::patch;
using test::recorded_leg;
using test::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

TEST(ReadSuperblock, ReadsARecordedOne)
{
    const TemporaryFolder folder;
    const auto superblock = read_superblock(folder.put("image", recorded_leg()));
    ASSERT_TRUE(superblock);
    EXPECT_EQ(superblock->array_uuid.text(), "0123abcd-4567-89ef-fedc-ba9876543210");
    EXPECT_EQ(superblock->name, "zraid:vm");
    EXPECT_EQ(superblock->events, 36U);
    EXPECT_EQ(superblock->data_offset, 1U << 20U);
    EXPECT_TRUE(superblock->has_bitmap);
    EXPECT_EQ(superblock->bitmap_offset, 8192U);
    EXPECT_FALSE(superblock->has_bad_blocks);
}

TEST(ReadSuperblock, ReadsWideNumbers)
{
    const TemporaryFolder folder;
    std::string leg = recorded_leg();
    patch(leg, LegOffset::events, 8, 0x0102030405060708);
    patch(leg, LegOffset::data_offset, 8, 0x00000000ffffffff);
    const auto superblock = read_superblock(folder.put("image", leg));
    ASSERT_TRUE(superblock);
    EXPECT_EQ(superblock->events, 0x0102030405060708U);
    EXPECT_EQ(superblock->data_offset, std::uint64_t{0xffffffff} * 512);
}

TEST(ReadSuperblock, SeesABadBlockList)
{
    const TemporaryFolder folder;
    std::string leg = recorded_leg();
    patch(leg, LegOffset::bblog_size, 2, 8);
    EXPECT_TRUE(read_superblock(folder.put("image", leg))->has_bad_blocks);
    leg = recorded_leg();
    patch(leg, LegOffset::feature_map, 4, 1 | 8);
    EXPECT_TRUE(read_superblock(folder.put("image", leg))->has_bad_blocks);
}

TEST(ReadSuperblock, SeesThatThereIsNoBitmap)
{
    const TemporaryFolder folder;
    std::string leg = recorded_leg();
    patch(leg, LegOffset::feature_map, 4, 0);
    EXPECT_FALSE(read_superblock(folder.put("image", leg))->has_bitmap);
}

TEST(ReadSuperblock, TakesANameThatFillsItsField)
{
    const TemporaryFolder folder;
    std::string leg = recorded_leg();
    leg.replace(LegOffset::set_name, 32, std::string(32, 'n'));
    EXPECT_EQ(read_superblock(folder.put("image", leg))->name, std::string(32, 'n'));
    leg.replace(LegOffset::set_name, 32, std::string(32, '\0'));
    EXPECT_EQ(read_superblock(folder.put("image", leg))->name, "");
}

TEST(ReadSuperblock, IsNothingWhereThereIsNone)
{
    const TemporaryFolder folder;
    const std::string leg = recorded_leg();
    for (const std::size_t size : {0U, 1U, 4095U, 4096U, 4100U, 4096U + 255U})
        EXPECT_FALSE(read_superblock(folder.put("image", leg.substr(0, size)))) << size;
    EXPECT_TRUE(read_superblock(folder.put("image", leg.substr(0, 4096 + 256))));

    std::string other = leg;
    patch(other, LegOffset::magic, 4, 0xa92b4efd);
    EXPECT_FALSE(read_superblock(folder.put("image", other))) << "wrong magic";
    other = leg;
    patch(other, LegOffset::major_version, 4, 0);
    EXPECT_FALSE(read_superblock(folder.put("image", other))) << "version 0";
    EXPECT_FALSE(read_superblock(folder.put("image", leg.substr(4096)))) << "metadata 1.1";
}

TEST(ReadSuperblock, NamesWhatItCannotRead)
{
    EXPECT_EQ(failure([] { read_superblock("/no/image"); }),
              "open '/no/image': No such file or directory");
    const TemporaryFolder folder;
    EXPECT_EQ(failure([&] { read_superblock(folder.path()); }),
              "read the md superblock of '" + folder.path().string() + "': Is a directory");
}

constexpr std::size_t kSize = 2 << 20;

/// A disk leg and a fresh device of its size, on the file system of the build, which takes O_DIRECT
/// where /tmp may not.
class SecondLeg : public ::testing::Test
{
protected:
    SecondLeg() : folder_(std::filesystem::current_path()) {}

    /// @param leg the first MiB
    void write(const std::string& leg)
    {
        image_ = folder_.put("image", leg);
        device_ = folder_.put("zram1", "");
        for (const std::string& file : {image_, device_})
            ASSERT_EQ(::truncate(file.c_str(), kSize), 0);
    }
    /// @return the failure, "IMAGE" in the place of its path
    std::string refusal(const std::string& leg)
    {
        write(leg);
        std::string text = failure([&] { write_second_leg_header(image_, device_); });
        if (const std::size_t at = text.find(image_); at != std::string::npos)
            text.replace(at, image_.size(), "IMAGE");
        EXPECT_TRUE(read_file(device_, kSize) == std::string(kSize, '\0'))
            << "nothing may be written";
        return text;
    }

    TemporaryFolder folder_;
    std::string image_;
    std::string device_;
};

TEST_F(SecondLeg, IsWhatMdadmTakesForSlotOne)
{
    write(recorded_leg());
    write_second_leg_header(image_, device_);
    const CommandResult examined = run({{"mdadm", "--examine", device_}});
    EXPECT_THAT(examined.out, AllOf(ContainsRegex("Checksum : [0-9a-f]+ - correct"),
                                    ContainsRegex("Device Role : Active device 1"),
                                    HasSubstr("Array UUID : 0123abcd:456789ef:fedcba98:76543210"),
                                    ContainsRegex("Events : 36"), HasSubstr("Array State : AA"),
                                    ContainsRegex("Data Offset : 2048 sectors")));
    EXPECT_THAT(examined.out, ::testing::Not(HasSubstr("write-mostly")));
}

TEST_F(SecondLeg, IsTheDiskLegsHeaderButForItsIdentity)
{
    const std::string leg = recorded_leg();
    write(leg);
    write_second_leg_header(image_, device_);
    const std::string written = read_file(device_, kSize);
    EXPECT_EQ(number_in(written, LegOffset::dev_number, 4), 1U);
    EXPECT_EQ(number_in(written, LegOffset::devflags, 1), 0U) << "not write-mostly";
    EXPECT_EQ(number_in(written, LegOffset::roles, 4), 0x00010000U) << "slots 0 and 1";
    EXPECT_NE(written.substr(LegOffset::device_uuid, 16), leg.substr(LegOffset::device_uuid, 16));

    std::string same = written;
    same.replace(LegOffset::dev_number, 4, leg.substr(LegOffset::dev_number, 4));
    same.replace(LegOffset::device_uuid, 16, leg.substr(LegOffset::device_uuid, 16));
    same.replace(LegOffset::devflags, 1, leg.substr(LegOffset::devflags, 1));
    same.replace(LegOffset::checksum, 4, leg.substr(LegOffset::checksum, 4));
    same.replace(LegOffset::roles, 4, leg.substr(LegOffset::roles, 4));
    EXPECT_TRUE(same.substr(0, 1 << 20) == leg);
    EXPECT_EQ(same.find_first_not_of('\0', 1 << 20), std::string::npos) << "no byte of data";
    EXPECT_TRUE(read_file(image_, kSize).substr(0, 1 << 20) == leg) << "the image is only read";
}

TEST_F(SecondLeg, HasAnIdentityOfItsOwnEachTime)
{
    write(recorded_leg());
    write_second_leg_header(image_, device_);
    const std::string first = read_file(device_, kSize).substr(LegOffset::device_uuid, 16);
    write_second_leg_header(image_, device_);
    EXPECT_NE(read_file(device_, kSize).substr(LegOffset::device_uuid, 16), first);
}

TEST_F(SecondLeg, IsNotMadeOfADamagedSuperblock)
{
    std::string leg = recorded_leg();
    patch(leg, LegOffset::events, 8, 37);
    EXPECT_EQ(refusal(leg), "'IMAGE' has no md superblock that is whole") << "checksum";
    leg = recorded_leg();
    patch(leg, LegOffset::magic, 4, 0);
    EXPECT_EQ(refusal(leg), "'IMAGE' has no md superblock that is whole");
    leg = recorded_leg();
    patch(leg, LegOffset::max_dev, 4, 0xffffffff);
    EXPECT_THAT(refusal(leg), HasSubstr("too many roles"));
}

/// Corrects the checksum after a change of one 32-bit word: the sum shifts as the word does.
void patch_word(std::string& leg, std::size_t at, std::uint32_t value)
{
    const auto sum = static_cast<std::uint32_t>(number_in(leg, LegOffset::checksum, 4));
    const auto old = static_cast<std::uint32_t>(number_in(leg, at, 4));
    patch(leg, at, 4, value);
    // Both sums are folded to 32 bits with the carry added, so that they are equal modulo 2^32-1.
    const std::uint64_t mod = 0xffffffffU;
    const std::uint64_t shifted = (std::uint64_t{sum} + mod - old + value) % mod;
    patch(leg, LegOffset::checksum, 4, shifted);
}

TEST_F(SecondLeg, IsNotMadeOfALayoutThatIsNotOurs)
{
    struct Case
    {
        const char* name;
        std::size_t at;
        std::uint32_t value;
    };
    for (const Case& c : std::vector<Case>{{"no bitmap", LegOffset::feature_map, 0},
                                           {"bad-block list", LegOffset::feature_map, 1 | 8},
                                           {"data at no page", LegOffset::data_offset, 2049},
                                           {"data in the superblock", LegOffset::data_offset, 8},
                                           {"slot 1", LegOffset::dev_number, 1}}) {
        std::string leg = recorded_leg();
        patch_word(leg, c.at, c.value);
        EXPECT_EQ(refusal(leg), "the md superblock of 'IMAGE' is not laid out as zraid makes it")
            << c.name;
    }
}

TEST_F(SecondLeg, IsNotMadeOfAnImageCutOff)
{
    const std::string path = folder_.put("image", recorded_leg().substr(0, 9000));
    const std::string device = folder_.put("zram1", "");
    EXPECT_EQ(failure([&] { write_second_leg_header(path, device); }),
              "'" + path + "' has no md superblock that is whole");
}

TEST_F(SecondLeg, NamesTheDeviceThatIsNotThere)
{
    write(recorded_leg());
    EXPECT_EQ(failure([&] { write_second_leg_header(image_, folder_ / "zram2"); }),
              "open '" + (folder_ / "zram2").string() + "': No such file or directory");
}

} // namespace
} // namespace zraid
