#include "pools/definition.h"
#include "support/failure.h"
#include "support/fake_system.h"
#include "support/pool_definitions.h"
#include "util/size.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::failure_code;
using test::FakeSystem;
using test::pool_definition;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

PoolDefinition read_back(const PoolDefinition& pool)
{
    const FakeSystem system;
    return pool_from_xml(system.paths, to_xml(pool), "vm.xml");
}

/// The document of a good definition with one piece of text replaced.
std::string changed_xml(const std::string& from, const std::string& to)
{
    std::string xml = to_xml(pool_definition());
    const std::size_t at = xml.find(from);
    EXPECT_NE(at, std::string::npos) << from << " is not in " << xml;
    return xml.replace(at, from.size(), to);
}

std::string refusal(const std::string& xml)
{
    const FakeSystem system;
    return failure([&] { pool_from_xml(system.paths, xml, "vm.xml"); });
}

TEST(ArrayName, IsCutToWhatMdHoldsOf)
{
    EXPECT_EQ(pool_definition("vm").array_name(), "zraid:vm");
    EXPECT_EQ(pool_definition(std::string(25, 'n')).array_name(), "zraid:" + std::string(25, 'n'));
    EXPECT_EQ(pool_definition(std::string(26, 'n')).array_name(), "zraid:" + std::string(25, 'n'));
    EXPECT_EQ(pool_definition(std::string(64, 'n')).array_name().size(), 31U);
    EXPECT_EQ(pool_definition().md_device(), "/dev/md100");
}

TEST(CheckPoolName, TakesGoodNames)
{
    for (const std::string& name :
         {std::string("a"), std::string("0"), std::string("vm-1"), std::string("a.b_c-D9"),
          std::string("x."), std::string("1-"), std::string(64, 'n')})
        EXPECT_EQ(failure([&] { check_pool_name(name); }), "no error") << name;
}

TEST(CheckPoolName, RefusesOthersAsTheSchemaDoes)
{
    for (const std::string& name :
         {std::string(""), std::string("."), std::string(".."), std::string("-x"),
          std::string("_x"), std::string(".x"), std::string("a/b"), std::string("../x"),
          std::string("a b"), std::string("a\n"), std::string("a\tb"), std::string("ä"),
          std::string("a:b"), std::string("a@b"), std::string("a\0b", 3), std::string("a'b"),
          std::string("$(id)"), std::string(65, 'n')}) {
        EXPECT_EQ(failure_code([&] { check_pool_name(name); }), 2) << name;
        // Line ends become blanks in a message, and it ends at a zero.
        if (name.find_first_of(std::string("\n\0", 2)) == std::string::npos) {
            EXPECT_EQ(failure([&] { check_pool_name(name); }),
                      "'" + name +
                          "' is no pool name. Next: use up to 64 letters, digits, '.', '_' and "
                          "'-', the first a letter or digit");
        }
        if (name.find('\0') == std::string::npos) {
            EXPECT_NE(refusal(changed_xml("<name>vm<", "<name>" + name + "<")), "no error") << name;
        }
    }
}

TEST(PoolTypeTest, IsReadAsItIsWritten)
{
    for (const PoolType type : {PoolType::disk, PoolType::logical, PoolType::fs, PoolType::whole})
        EXPECT_EQ(parse_pool_type(to_string(type)), type);
    EXPECT_THAT(failure([] { parse_pool_type("lvm"); }),
                AllOf(StartsWith("'lvm' is no pool type. Next: "), HasSubstr("disk")));
    EXPECT_EQ(failure_code([] { parse_pool_type(""); }), 2);
}

TEST(BitmapChunk, DefaultsToOneThatFits)
{
    // mdadm keeps 4, 64 or 128 KiB for the bitmap, by the size of the leg.
    const std::vector<std::pair<std::uint64_t, std::uint64_t>> cases{
        {kMinImageSize, 16 * MiB},       {8 * GiB, 16 * MiB},
        {200 * GiB, 16 * MiB},           {8 * TiB, 16 * MiB},
        {16 * TiB - 64 * GiB, 16 * MiB}, {kMaxImageSize, 32 * MiB}};
    for (const auto& [size, chunk] : cases) {
        EXPECT_EQ(default_bitmap_chunk(size), chunk) << size;
        EXPECT_EQ(failure([&] { check_bitmap_chunk(chunk, size); }), "no error") << size;
    }
}

TEST(BitmapChunk, IsAPowerOfTwoWithinBounds)
{
    for (const std::uint64_t chunk : {64 * KiB, 128 * KiB, MiB, 4 * MiB, 512 * MiB, GiB})
        EXPECT_EQ(failure([&] { check_bitmap_chunk(chunk, GiB); }), "no error") << chunk;
    for (const std::uint64_t chunk :
         {std::uint64_t{0}, std::uint64_t{1}, 4 * KiB, 32 * KiB, 96 * KiB, 3 * MiB, 4 * MiB + 1,
          2 * GiB, std::uint64_t{1} << 63U, UINT64_MAX}) {
        EXPECT_EQ(failure([&] { check_bitmap_chunk(chunk, GiB); }),
                  fmt::format("a bitmap chunk of {} bytes is not possible. Next: give a power of "
                              "two from 64K to 1G",
                              chunk));
        EXPECT_EQ(failure_code([&] { check_bitmap_chunk(chunk, GiB); }), 2) << chunk;
    }
}

TEST(BitmapChunk, SuitsTheSize)
{
    EXPECT_EQ(failure([] { check_bitmap_chunk(64 * KiB, 16 * TiB); }),
              "a bitmap chunk of 64 KiB is too small for an image of 16 TiB: its bitmap would not "
              "fit in front of the data. Next: give a larger one, such as 32 MiB");
    // 4 KiB less the header of 256 bytes, a bit for each 64 KiB.
    const std::uint64_t largest = std::uint64_t{30720} * 64 * KiB;
    EXPECT_EQ(failure([&] { check_bitmap_chunk(64 * KiB, largest - 4 * KiB); }), "no error");
    EXPECT_THAT(failure([&] { check_bitmap_chunk(64 * KiB, largest); }), HasSubstr("too small"));
}

TEST(DefinitionXml, ComesBackAsItWas)
{
    int checked = 0;
    for (const std::string image : {"/vm.img", "/a b/<&\"'>/ü.img", "/x  y]]>.img"})
        for (const std::string description : {"", "the mail server", " <b> & \"'\n\tsecond "})
            for (const std::string compressor : {"", "lzo-rle"})
                for (const std::optional<std::uint64_t> limit :
                     {std::optional<std::uint64_t>{}, std::optional<std::uint64_t>{UINT64_MAX}})
                    for (const int flags : {0, 1, 2, 3, 4, 5, 6, 7}) {
                        PoolDefinition pool = pool_definition("A.b_c-9");
                        pool.image = image;
                        pool.settings.description = description;
                        pool.settings.compressor = compressor;
                        pool.settings.ram_limit = limit;
                        pool.settings.libvirt = (flags & 1) != 0;
                        pool.settings.autostart = (flags & 2) != 0;
                        pool.settings.attach =
                            (flags & 4) != 0 ? AttachPolicy::always : AttachPolicy::on_demand;
                        pool.md_number = 60 * flags;
                        ASSERT_EQ(read_back(pool), pool);
                        ++checked;
                    }
    EXPECT_EQ(checked, 3 * 3 * 2 * 2 * 8);
}

TEST(DefinitionXml, KeepsADescriptionOfBlanks)
{
    // Else the same definition given again would be taken for another one.
    PoolDefinition pool = pool_definition();
    pool.settings.description = "  ";
    EXPECT_EQ(read_back(pool), pool);
}

TEST(DefinitionXml, HoldsTheExtremes)
{
    for (const std::uint64_t size : {kMinImageSize, kMaxImageSize}) {
        for (const int number : {0, 511}) {
            PoolDefinition pool = pool_definition(std::string(64, 'n'));
            pool.size = size;
            pool.md_number = number;
            pool.bitmap_chunk = GiB;
            pool.image = "/" + std::string(4000, 'p');
            EXPECT_EQ(read_back(pool), pool);
        }
    }
}

TEST(DefinitionXml, TellsABlockDeviceFromAFile)
{
    PoolDefinition pool = pool_definition();
    EXPECT_EQ(to_xml(pool).find("type=\"file\""), std::string::npos) << "that goes without saying";
    pool.image = "/dev/vg/lv";
    pool.image_kind = ImageKind::block;
    EXPECT_THAT(to_xml(pool), HasSubstr("<image type=\"block\" path=\"/dev/vg/lv\" />"));
    EXPECT_EQ(read_back(pool), pool);
}

TEST(DefinitionXml, HasATargetWhereItIsMounted)
{
    PoolDefinition pool = pool_definition();
    pool.type = PoolType::logical;
    EXPECT_EQ(read_back(pool), pool);
    pool.type = PoolType::fs;
    pool.target = default_target("vm");
    EXPECT_EQ(read_back(pool), pool);
    pool.target = "";
    EXPECT_EQ(refusal(to_xml(pool)), "vm.xml: a pool of type fs needs a <target>");
    pool.target = "/x";
    pool.type = PoolType::disk;
    EXPECT_EQ(refusal(to_xml(pool)), "vm.xml: a pool of type disk has no <target>");
}

TEST(DefinitionXml, IsReadableByPeople)
{
    PoolDefinition pool = pool_definition();
    pool.settings.compressor = "zstd";
    pool.settings.recompressor = "deflate";
    pool.settings.writes = Writes::through;
    pool.settings.ram_limit = 32 * MiB;
    EXPECT_EQ(to_xml(pool), R"(<zraidpool type="disk">
  <name>vm</name>
  <uuid>0123abcd-4567-89ef-fedc-ba9876543210</uuid>
  <image path="/images/vm.img" writes="through" />
  <size unit="bytes">67108864</size>
  <md number="100">
    <bitmapchunk unit="bytes">4194304</bitmapchunk>
  </md>
  <ramleg attach="on-demand" compressor="zstd" recompressor="deflate">
    <limit unit="bytes">33554432</limit>
  </ramleg>
  <libvirt register="no" autostart="yes" />
</zraidpool>
)");
}

TEST(DefinitionXml, MayBeWrittenByHand)
{
    const FakeSystem system;
    const PoolDefinition pool = pool_from_xml(system.paths, R"(<?xml version="1.0"?>
<!-- edited -->
<zraidpool type='disk'>
  <libvirt register='yes' autostart='no'/>
  <ramleg>
    <limit unit='GiB'>1</limit>
  </ramleg>
  <md number='7'><bitmapchunk unit='MiB'>8</bitmapchunk></md>
  <image path='/vm&amp;1.img' writes='cached'/>
  <size unit='GiB'>2</size>
  <description>one &lt;two&gt;</description>
  <uuid>0123ABCD-4567-89ef-fedc-ba9876543210</uuid>
  <name>vm</name>
</zraidpool>)",
                                              "vm.xml");
    EXPECT_EQ(pool.name, "vm");
    EXPECT_EQ(pool.size, 2 * GiB);
    EXPECT_EQ(pool.bitmap_chunk, 8 * MiB);
    EXPECT_EQ(pool.settings.ram_limit, GiB);
    EXPECT_EQ(pool.image, "/vm&1.img");
    EXPECT_EQ(pool.settings.description, "one <two>");
    EXPECT_EQ(pool.settings.attach, AttachPolicy::on_demand);
    EXPECT_EQ(pool.settings.compressor, "");
    EXPECT_TRUE(pool.settings.libvirt);
    EXPECT_FALSE(pool.settings.autostart);
    EXPECT_EQ(pool.uuid, pool_definition().uuid);
}

TEST(DefinitionXml, MayHaveBlanksAroundNumbers)
{
    // As the schema's types allow: an editor that breaks lines does not break the definition.
    const FakeSystem system;
    const std::string xml = changed_xml(">67108864<", ">\n    67108864\n  <");
    PoolDefinition pool;
    EXPECT_EQ(failure([&] { pool = pool_from_xml(system.paths, xml, "vm.xml"); }), "no error");
    EXPECT_EQ(pool.size, 64 * MiB);
}

TEST(DefinitionXml, IsCheckedBeyondTheSchema)
{
    const std::string largest = std::to_string(kMaxImageSize + 1);
    EXPECT_EQ(refusal(changed_xml(">67108864<", ">16777215<")),
              "vm.xml: a size of 16777215 bytes is not between 16 MiB and 16 TiB");
    EXPECT_EQ(refusal(changed_xml(">67108864<", ">" + largest + "<")),
              "vm.xml: a size of " + largest + " bytes is not between 16 MiB and 16 TiB");
    EXPECT_THAT(refusal(changed_xml(">4194304<", ">4194305<")),
                StartsWith("vm.xml: a bitmap chunk of 4194305 bytes is not possible"));
    EXPECT_THAT(refusal(changed_xml(">4194304<", ">65536<")
                            .replace(changed_xml(">4194304<", ">65536<").find("67108864"), 8,
                                     "17592186044416")),
                StartsWith("vm.xml: a bitmap chunk of 64 KiB is too small"));
    EXPECT_THAT(
        refusal(changed_xml("unit=\"bytes\">67108864", "unit=\"TiB\">18446744073709551615")),
        AllOf(StartsWith("vm.xml: "), HasSubstr("larger than 64 bits")));
}

TEST(DefinitionXml, IsNoUsageErrorWhenItIsBroken)
{
    // Exit code 2 is for whoever typed a command; what is wrong here is a file.
    const FakeSystem system;
    for (const std::string& xml :
         {std::string("<zraidpool"), changed_xml(">67108864<", ">1<"),
          changed_xml(">4194304<", ">4194305<"),
          changed_xml("unit=\"bytes\">67108864", "unit=\"TiB\">18446744073709551615")})
        EXPECT_EQ(failure_code([&] { pool_from_xml(system.paths, xml, "vm.xml"); }), 1) << xml;
}

} // namespace
} // namespace zraid
