#include "devices/image_header.h"
#include "domains/backing_chain.h"
#include "support/fake_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {

/// For gtest's messages.
void PrintTo(const LayerBelow& layer, std::ostream* stream)
{
    *stream << "{" << layer.path << "|" << layer.format << "}";
}

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string big(std::uint64_t number, int bytes)
{
    std::string text;
    for (int i = bytes - 1; i >= 0; --i)
        text += static_cast<char>(number >> (8 * i) & 0xffU);
    return text;
}

std::string little(std::uint64_t number, int bytes)
{
    const std::string text = big(number, bytes);
    return {text.rbegin(), text.rend()};
}

std::string extension(std::uint64_t type, const std::string& text)
{
    return big(type, 4) + big(text.size(), 4) + text + std::string((8 - text.size() % 8) % 8, '\0');
}

/// As QEMU 7.2 writes it: header of 112 bytes, extensions, the name behind them.
std::string qcow2(const std::string& name, const std::string& extensions)
{
    const std::string end = extensions + std::string(8, '\0');
    std::string text = std::string("QFI\xfb", 4) + big(3, 4) +
                       big(name.empty() ? 0 : 112 + end.size(), 8) + big(name.size(), 4);
    text.resize(100, '\0');
    text += big(112, 4);
    text.resize(112, '\0');
    return text + end + name;
}

const std::string kRaw = extension(0xE2792ACA, "raw");

class ImageHeader : public testing::Test
{
protected:
    std::vector<LayerBelow> below(const std::string& content, const std::string& format) const
    {
        return layers_below(system_.put("srv/top", content), format);
    }
    test::FakeSystem system_;
};

TEST_F(ImageHeader, OfQcow2)
{
    EXPECT_THAT(below(qcow2("/dev/md100p1", kRaw), "qcow2"),
                ElementsAre(LayerBelow{"/dev/md100p1", "raw"}));
    EXPECT_THAT(below(qcow2("base", ""), "qcow2"),
                ElementsAre(LayerBelow{system_.path() / "srv/base", ""}))
        << "a format that is not said is not guessed";
    EXPECT_THAT(below(qcow2("", extension(0x44415441, "data.raw")), "qcow2"),
                ElementsAre(LayerBelow{system_.path() / "srv/data.raw", "raw"}));
    std::string old = std::string("QFI\xfb", 4) + big(2, 4) + big(80, 8) + big(2, 4);
    old.resize(80, '\0');
    EXPECT_THAT(below(old + "/b", "qcow2"), ElementsAre(LayerBelow{"/b", ""}));
    old.replace(4, 4, big(1, 4));
    EXPECT_THAT(below(old + "/b", "qcow"), ElementsAre(LayerBelow{"/b", ""}));
    EXPECT_THAT(below(old + "/b", "qcow2"), IsEmpty());
    EXPECT_THAT(below(qcow2("", kRaw), "qcow2"), IsEmpty());
}

TEST_F(ImageHeader, OfRawIsNeverBelieved)
{
    for (const char* format : {"raw", "", "host_device", "vdi"})
        EXPECT_THAT(below(qcow2("/dev/md100p1", kRaw), format), IsEmpty()) << format;
}

TEST_F(ImageHeader, ThatIsBrokenSaysNothing)
{
    const std::string good = qcow2("/dev/md100p1", kRaw);
    for (std::size_t length = 0; length < good.size(); ++length)
        EXPECT_THAT(below(good.substr(0, length), "qcow2"), IsEmpty()) << length;
    std::string far = good;
    far.replace(8, 8, big(~std::uint64_t{0} - 3, 8)); // the name
    EXPECT_THAT(below(far, "qcow2"), IsEmpty());
    std::string endless = good;
    endless.replace(112, 8, big(7, 4) + big(0xffffffff, 4));
    below(endless, "qcow2");
    std::string loop = good;
    loop.replace(100, 4, big(0xffffffff, 4));
    below(loop, "qcow2");
    EXPECT_THAT(layers_below(system_.path(), "qcow2"), IsEmpty()) << "a folder";
    EXPECT_THAT(layers_below(system_.path() / "none", "qcow2"), IsEmpty());
}

TEST_F(ImageHeader, OfQed)
{
    const auto qed = [](std::uint64_t features) {
        std::string text = std::string("QED\0", 4) + std::string(12, '\0') + little(features, 8);
        text.resize(56, '\0');
        return text + little(64, 4) + little(4, 4) + "base";
    };
    const std::string base = system_.path() / "srv/base";
    EXPECT_THAT(below(qed(1 | 4), "qed"), ElementsAre(LayerBelow{base, "raw"}));
    EXPECT_THAT(below(qed(1), "qed"), ElementsAre(LayerBelow{base, ""}));
    EXPECT_THAT(below(qed(0), "qed"), IsEmpty());
}

TEST_F(ImageHeader, OfVmdk)
{
    const std::string descriptor = "# Disk DescriptorFile\nversion=1\n"
                                   "parentFileNameHint=\"/base.vmdk\"\n"
                                   "RW 8192 FLAT \"/dev/md100p1\" 0\nRW 8192 SPARSE \"x\"\n";
    const auto layers =
        ElementsAre(LayerBelow{"/base.vmdk", "vmdk"}, LayerBelow{"/dev/md100p1", "raw"},
                    LayerBelow{system_.path() / "srv/x", "raw"});
    EXPECT_THAT(below(descriptor, "vmdk"), layers);
    std::string sparse = "KDMV" + std::string(24, '\0') + little(1, 8);
    sparse.resize(512, '\0');
    EXPECT_THAT(below(sparse + descriptor, "vmdk"), layers);
}

TEST_F(ImageHeader, NamesOfLayers)
{
    const auto name = [](const char* text) { return layer_of_name("/a/top", text, "qcow2"); };
    EXPECT_EQ(name("../b"), (LayerBelow{"/b", "qcow2"}));
    EXPECT_EQ(name("./x:y"), (LayerBelow{"/a/x:y", "qcow2"}));
    EXPECT_EQ(name("file:/b"), (LayerBelow{"/b", "qcow2"}));
    EXPECT_EQ(name("nbd://host/x"), std::nullopt);
    EXPECT_EQ(name("rbd:pool/x"), std::nullopt);
    EXPECT_EQ(name(""), std::nullopt);
    EXPECT_EQ(
        name(R"(json:{"driver":"raw","file":{"driver":"host_device","filename":"/dev/md1"}})"),
        (LayerBelow{"/dev/md1", "raw"}));
    EXPECT_EQ(name(R"(json:{"file.filename":"/b"})"), (LayerBelow{"/b", "qcow2"}));
    EXPECT_EQ(name(R"(json:{"driver":"file","filename":"/b"})"), (LayerBelow{"/b", "raw"}));
    EXPECT_EQ(name("json:[[[["), std::nullopt);
}

TEST_F(ImageHeader, ChainsEnd)
{
    const std::string qcow2_format = extension(0xE2792ACA, "qcow2");
    const std::string middle = system_.put("srv/middle", qcow2("top", qcow2_format)); // a circle
    const std::string top = system_.put("srv/top", qcow2("middle", qcow2_format));
    const auto found = with_backing_chains(system_.paths, {{top, "", "", "qcow2"}});
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[1].path, middle);
    // A raw volume whose guest wrote a header into it ends the chain.
    system_.put("srv/middle", qcow2("/dev/md100p1", kRaw));
    system_.put("srv/top", qcow2("middle", kRaw));
    EXPECT_EQ(with_backing_chains(system_.paths, {{top, "", "", "qcow2"}}).size(), 2U);
    EXPECT_EQ(with_backing_chains(system_.paths, {{top, "", ""}}).size(), 1U);
}

TEST_F(ImageHeader, OfAVolumeOfLibvirts)
{
    system_.put("srv/top", qcow2("/dev/md100p1", kRaw));
    system_.put("host-etc/libvirt/storage/files.xml", "<pool type='dir'><target><path>" +
                                                          (system_.path() / "srv").string() +
                                                          "</path></target></pool>");
    const auto found = with_backing_chains(system_.paths, {{"", "files", "top", "qcow2"}});
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[1].path, "/dev/md100p1");
    EXPECT_EQ(with_backing_chains(system_.paths, {{"", "../x", "top", "qcow2"}}).size(), 1U);
}

} // namespace
} // namespace zraid
