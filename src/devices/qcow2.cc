#include "devices/qcow2.h"

#include "util/error.h"
#include "util/json.h"
#include "util/process.h"
#include "util/size.h"

#include <bit>

#include <fmt/core.h>

namespace zraid {

namespace {

/// A field that has to be there.
const Json& need(const Json& object, const char* name)
{
    const Json* field = object.find(name);
    if (!field)
        throw Error(fmt::format("it has no '{}'", name));
    return *field;
}

/// @param value as Json reads it
template <typename Value>
auto known(const Value& value, const char* name)
{
    if (!value)
        throw Error(fmt::format("its '{}' is of another kind", name));
    return *value;
}

std::uint64_t number_in(const Json& object, const char* name)
{
    return known(need(object, name).number(), name);
}

std::string text_in(const Json& object, const char* name)
{
    return known(need(object, name).text(), name);
}

bool flag_in(const Json& object, const char* name)
{
    const Json* field = object.find(name);
    return field && known(field->flag(), name);
}

bool has_elements(const Json& object, const char* name)
{
    const Json* field = object.find(name);
    return field && !known(field->elements(), name).empty();
}

/// @param data what is particular to qcow2
void find_obstacle(Qcow2Info& found, const Json& info, const Json& data, const std::string& path)
{
    const auto set = [&](const char* obstacle, const std::string& next) {
        found.obstacle = obstacle;
        found.next = next;
    };
    if (info.find("backing-filename"))
        set("has a backing file",
            fmt::format("qemu-img rebase -b '' '{}' makes it stand alone", path));
    else if (has_elements(info, "snapshots"))
        set("has internal snapshots",
            fmt::format("qemu-img snapshot -l '{0}' lists them, qemu-img snapshot -d NAME '{0}' "
                        "deletes one",
                        path));
    else if (flag_in(info, "encrypted"))
        set("is encrypted", "a pool would hold it in the clear");
    else if (data.find("data-file"))
        set("has its data in another file", "make one file of it: qemu-img convert -O qcow2");
    else if (flag_in(data, "corrupt") || flag_in(info, "dirty-flag"))
        set("was not closed properly", fmt::format("qemu-img check -r all '{}' repairs it", path));
    else if (has_elements(data, "bitmaps"))
        set("has bitmaps of changed blocks, which a copy would lose",
            fmt::format("end the incremental backups that use them, then qemu-img bitmap --remove "
                        "'{}' NAME",
                        path));
}

Qcow2Layout layout_in(const Json& info, const Json& data)
{
    Qcow2Layout layout;
    layout.cluster_size = number_in(info, "cluster-size");
    layout.compat = text_in(data, "compat");
    if (data.find("refcount-bits"))
        layout.refcount_bits = number_in(data, "refcount-bits");
    layout.lazy_refcounts = flag_in(data, "lazy-refcounts");
    layout.extended_l2 = flag_in(data, "extended-l2");
    if (data.find("compression-type"))
        layout.compression = text_in(data, "compression-type");
    return layout;
}

Qcow2Info read(const std::string& text, const std::string& path)
{
    const auto info = Json::parse(text);
    if (!info)
        throw Error("it is no JSON");
    const Json& data = need(need(*info, "format-specific"), "data");
    Qcow2Info found;
    found.virtual_size = number_in(*info, "virtual-size");
    found.layout = layout_in(*info, data);
    find_obstacle(found, *info, data, path);
    return found;
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
        found = read(text, path);
    } catch (const Error& e) {
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
