#include "devices/qcow2.h"

#include "util/error.h"
#include "util/process.h"
#include "util/size.h"

#include <bit>

#include <nlohmann/json.hpp>

#include <fmt/format.h>

namespace zraid {

namespace {

/// @param data what is particular to qcow2
void find_obstacle(Qcow2Info& found, const nlohmann::json& info, const nlohmann::json& data,
                   const std::string& path)
{
    const auto set = [&](const char* obstacle, const std::string& next) {
        found.obstacle = obstacle;
        found.next = next;
    };
    if (info.contains("backing-filename"))
        set("has a backing file",
            fmt::format("qemu-img rebase -b '' '{}' makes it stand alone", path));
    else if (!info.value("snapshots", nlohmann::json::array()).empty())
        set("has internal snapshots",
            fmt::format("qemu-img snapshot -l '{0}' lists them, qemu-img snapshot -d NAME '{0}' "
                        "deletes one",
                        path));
    else if (info.value("encrypted", false))
        set("is encrypted", "a pool would hold it in the clear");
    else if (data.contains("data-file"))
        set("has its data in another file", "make one file of it: qemu-img convert -O qcow2");
    else if (data.value("corrupt", false) || info.value("dirty-flag", false))
        set("was not closed properly", fmt::format("qemu-img check -r all '{}' repairs it", path));
    else if (!data.value("bitmaps", nlohmann::json::array()).empty())
        set("has bitmaps of changed blocks, which a copy would lose",
            fmt::format("end the incremental backups that use them, then qemu-img bitmap --remove "
                        "'{}' NAME",
                        path));
}

} // namespace

bool is_valid(const Qcow2Layout& layout)
{
    return std::has_single_bit(layout.cluster_size) && layout.cluster_size >= 512 &&
           layout.cluster_size <= 2 * MiB && (layout.compat == "1.1" || layout.compat == "0.10") &&
           std::has_single_bit(layout.refcount_bits) && layout.refcount_bits <= 64 &&
           (layout.compression == "zlib" || layout.compression == "zstd");
}

Qcow2Info parse_qcow2_info(const std::string& text, const std::string& path)
{
    Qcow2Info found;
    try {
        const nlohmann::json info = nlohmann::json::parse(text);
        const nlohmann::json data = info.at("format-specific").at("data");
        found.virtual_size = info.at("virtual-size").get<std::uint64_t>();
        Qcow2Layout& layout = found.layout;
        layout.cluster_size = info.at("cluster-size").get<std::uint64_t>();
        layout.compat = data.at("compat").get<std::string>();
        layout.refcount_bits = data.value("refcount-bits", layout.refcount_bits);
        layout.lazy_refcounts = data.value("lazy-refcounts", false);
        layout.extended_l2 = data.value("extended-l2", false);
        layout.compression = data.value("compression-type", layout.compression);
        find_obstacle(found, info, data, path);
    } catch (const nlohmann::json::exception& e) {
        throw Error(fmt::format("qemu-img info '{}': answer not understood: {}", path, e.what()));
    }
    if (found.virtual_size == 0 || found.virtual_size % 512 != 0 || !is_valid(found.layout))
        throw Error(fmt::format("qemu-img info '{}': it is no qcow2 as QEMU makes it", path));
    return found;
}

Qcow2Info read_qcow2_info(const std::string& path)
{
    return parse_qcow2_info(run({{"qemu-img", "info", "--output=json", "-f", "qcow2", path}}).out,
                            path);
}

void make_qcow2(const std::string& path, const Qcow2Layout& layout, std::uint64_t size)
{
    std::string options =
        fmt::format("cluster_size={},compat={}", layout.cluster_size, layout.compat);
    if (layout.compat != "0.10")
        options += fmt::format(",refcount_bits={},lazy_refcounts={},extended_l2={},"
                               "compression_type={}",
                               layout.refcount_bits, layout.lazy_refcounts ? "on" : "off",
                               layout.extended_l2 ? "on" : "off", layout.compression);
    run({{"qemu-img", "create", "-q", "-f", "qcow2", "-o", options, path, std::to_string(size)}});
}

} // namespace zraid
