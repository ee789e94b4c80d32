#include "devices/file_id.h"
#include "devices/qcow2.h"
#include "devices/qemu_img.h"
#include "support/failure.h"
#include "support/temporary_folder.h"
#include "util/files.h"
#include "util/process.h"
#include "util/size.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::TemporaryFolder;
using ::testing::HasSubstr;

/// qemu-img info of QEMU 7.2, with more in either part.
std::string info(const std::string& more = "", const std::string& more_data = "")
{
    return R"({"virtual-size": 25178624, "filename": "a.qcow2", "cluster-size": 32768,
        "format": "qcow2", "actual-size": 593920, )" +
           more + R"("format-specific": {"type": "qcow2", "data": {"compat": "1.1", )" + more_data +
           R"("compression-type": "zstd", "lazy-refcounts": true, "refcount-bits": 8,
        "corrupt": false, "extended-l2": true}}, "dirty-flag": false})";
}

std::string obstacle(const std::string& more, const std::string& more_data = "")
{
    const Qcow2Info found = parse_qcow2_info(info(more, more_data), "/i/a");
    return found.obstacle + ". Next: " + found.next;
}

TEST(Qcow2, TellsWhatAnotherNeedsToBeLikeIt)
{
    const Qcow2Info found = parse_qcow2_info(info(), "/i/a");
    EXPECT_EQ(found.virtual_size, 25178624U);
    EXPECT_EQ(found.obstacle, "");
    EXPECT_EQ(found.layout, (Qcow2Layout{32768, "1.1", 8, true, true, "zstd"}));
}

TEST(Qcow2, OfTheOldKindHasLessToTell)
{
    const Qcow2Info found = parse_qcow2_info(
        R"({"virtual-size": 512, "cluster-size": 65536, "format-specific": {"type": "qcow2",
            "data": {"compat": "0.10", "compression-type": "zlib", "refcount-bits": 16}}})",
        "/i/a");
    EXPECT_EQ(found.layout, (Qcow2Layout{65536, "0.10", 16, false, false, "zlib"}));
}

TEST(Qcow2, HasObstacles)
{
    EXPECT_THAT(obstacle(R"("backing-filename": "b", )"), HasSubstr("has a backing file. Next: "));
    EXPECT_THAT(obstacle(R"("snapshots": [{"id": "1"}], )"), HasSubstr("has internal snapshots"));
    EXPECT_THAT(obstacle(R"("encrypted": true, )"), HasSubstr("is encrypted"));
    EXPECT_THAT(obstacle("", R"("data-file": "d", )"), HasSubstr("its data in another file"));
    EXPECT_THAT(obstacle("", R"("bitmaps": [{"name": "b"}], )"), HasSubstr("has bitmaps"));
    std::string dirty = info();
    dirty.replace(dirty.find("\"dirty-flag\": false"), 19, "\"dirty-flag\": true");
    EXPECT_EQ(parse_qcow2_info(dirty, "/i/a").next, "qemu-img check -r all '/i/a' repairs it");
}

TEST(Qcow2, IsNotGuessedAt)
{
    for (const std::string& text :
         {std::string(), std::string("[]"), std::string("{}"),
          std::string(R"({"virtual-size": 512, "format": "raw"})"), info("", R"("compat": 1, )")})
        EXPECT_THAT(failure([&] { parse_qcow2_info(text, "/i/a"); }),
                    HasSubstr("qemu-img info '/i/a': answer not understood"));
    std::string odd = info();
    odd.replace(odd.find("32768"), 5, "32769");
    EXPECT_THAT(failure([&] { parse_qcow2_info(odd, "/i/a"); }), HasSubstr("is no qcow2"));
}

TEST(Qcow2, IsMadeLikeAnother)
{
    const TemporaryFolder folder;
    const std::string raw = folder.put("raw", std::string(300'000, 'a'));
    std::filesystem::resize_file(raw, 4 * MiB);
    for (const Qcow2Layout& layout :
         {Qcow2Layout{}, Qcow2Layout{4096, "0.10", 16, false, false, "zlib"},
          Qcow2Layout{32768, "1.1", 8, true, true, "zlib"}}) {
        const std::string file = folder.put("file", "something");
        const auto id = file_id(file);
        make_qcow2(file, layout, 4 * MiB);
        EXPECT_EQ(file_id(file), id) << "the same file";
        const Qcow2Info made = read_qcow2_info(file);
        EXPECT_EQ(made.layout, layout);
        EXPECT_EQ(made.virtual_size, 4 * MiB);
        copy_image(
            {raw}, {file, "qcow2"}, 4 * MiB, [](double) {}, -1);
        run({{"qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw, file}});
        EXPECT_LT(bytes_to_copy({file, "qcow2"}), 2 * MiB);
    }
    EXPECT_THAT(failure([&] { read_qcow2_info(raw); }), HasSubstr("not in qcow2 format"));
}

} // namespace
} // namespace zraid
