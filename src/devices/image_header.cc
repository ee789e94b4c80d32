#include "devices/image_header.h"

#include "util/fd.h"
#include "util/json.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <sstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zraid {

namespace {

namespace fs = std::filesystem;

/// A header and what is right behind it. QEMU wants a qcow2's extensions and names in its first
/// cluster, of 2 MiB at most; names of files have 1023 bytes.
constexpr std::size_t kMostBytes = std::size_t{64} << 10U;
constexpr std::size_t kLongestName = 1023;

/// Numbers at a place in bytes that may end anywhere.
class Header
{
public:
    explicit Header(std::string bytes) : bytes_(std::move(bytes)) {}

    std::uint64_t big(std::size_t at, std::size_t length) const
    {
        std::uint64_t number = 0;
        for (std::size_t i = 0; i < length; ++i)
            number = number << 8U | byte(at + i);
        return number;
    }
    std::uint64_t little(std::size_t at, std::size_t length) const
    {
        std::uint64_t number = 0;
        for (std::size_t i = length; i > 0; --i)
            number = number << 8U | byte(at + i - 1);
        return number;
    }
    /// Empty if it does not lie in what was read.
    std::string_view text(std::uint64_t at, std::uint64_t length) const
    {
        if (at > bytes_.size() || length > bytes_.size() - at)
            return {};
        return std::string_view(bytes_).substr(at, length);
    }

private:
    std::uint64_t byte(std::size_t at) const
    {
        return at < bytes_.size() ? static_cast<unsigned char>(bytes_[at]) : 0U;
    }

    std::string bytes_;
};

std::string read_some(const std::string& path, off_t at)
{
    // A pipe is not waited for, a terminal not taken.
    const UniqueFd fd(
        ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)); // NOLINT(*-vararg)
    struct stat info = {};
    if (!fd || ::fstat(fd.get(), &info) != 0 || !(S_ISREG(info.st_mode) || S_ISBLK(info.st_mode)))
        return {};
    std::string bytes(kMostBytes, '\0');
    const ssize_t n = ::pread(fd.get(), bytes.data(), bytes.size(), at);
    bytes.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return bytes;
}

void add(std::vector<LayerBelow>& layers, std::optional<LayerBelow> layer)
{
    if (layer)
        layers.push_back(std::move(*layer));
}

/// Of all versions of qcow; empty if there is none.
std::string_view backing_name(const Header& header)
{
    const std::uint64_t length = header.big(16, 4);
    return length <= kLongestName ? header.text(header.big(8, 8), length) : std::string_view();
}

std::vector<LayerBelow> below_qcow2(const std::string& path)
{
    constexpr std::uint64_t kBackingFormat = 0xE2792ACA;
    constexpr std::uint64_t kDataFile = 0x44415441;
    constexpr std::size_t kSizeOfVersion2 = 72;
    const Header header(read_some(path, 0));
    const std::uint64_t version = header.big(4, 4);
    if (header.text(0, 4) != std::string_view("QFI\xfb", 4) || (version != 2 && version != 3))
        return {};
    std::string format;
    std::vector<LayerBelow> layers;
    std::uint64_t at = version == 2 ? kSizeOfVersion2 : header.big(100, 4);
    // Each extension takes 8 bytes at least, so there is an end.
    while (at < kMostBytes) {
        const std::uint64_t type = header.big(at, 4);
        const std::uint64_t length = header.big(at + 4, 4);
        if (type == 0)
            break;
        if (type == kBackingFormat)
            format = header.text(at + 8, length);
        else if (type == kDataFile)
            add(layers, layer_of_name(path, header.text(at + 8, length), "raw"));
        at += 8 + (length + 7) / 8 * 8;
    }
    add(layers, layer_of_name(path, backing_name(header), format));
    return layers;
}

std::vector<LayerBelow> below_qcow(const std::string& path)
{
    const Header header(read_some(path, 0));
    std::vector<LayerBelow> layers;
    if (header.text(0, 4) == std::string_view("QFI\xfb", 4) && header.big(4, 4) == 1)
        add(layers, layer_of_name(path, backing_name(header), ""));
    return layers;
}

std::vector<LayerBelow> below_qed(const std::string& path)
{
    constexpr std::uint64_t kHasBackingFile = 1;
    constexpr std::uint64_t kBackingFileIsRaw = 4;
    const Header header(read_some(path, 0));
    const std::uint64_t features = header.little(16, 8);
    const std::uint64_t length = header.little(60, 4);
    std::vector<LayerBelow> layers;
    if (header.text(0, 4) == std::string_view("QED\0", 4) && (features & kHasBackingFile) != 0 &&
        length <= kLongestName)
        add(layers, layer_of_name(path, header.text(header.little(56, 4), length),
                                  (features & kBackingFileIsRaw) != 0 ? "raw" : ""));
    return layers;
}

/// What stands between the first two quotes behind a place.
std::string between_quotes(const std::string& line)
{
    const std::size_t begin = line.find('"');
    const std::size_t end = begin == std::string::npos ? begin : line.find('"', begin + 1);
    return end == std::string::npos ? "" : line.substr(begin + 1, end - begin - 1);
}

std::vector<LayerBelow> below_vmdk(const std::string& path)
{
    // Files that hold a part of the image.
    constexpr std::array kExtents{" FLAT ", " VMFS ", " SPARSE ", " VMFSSPARSE "};
    std::string text = read_some(path, 0);
    if (const Header header(text); header.text(0, 4) == "KDMV") {
        const std::uint64_t sector = header.little(28, 8);
        if (sector == 0 || sector > (std::uint64_t{1} << 40U))
            return {};
        text = read_some(path, static_cast<off_t>(sector * 512));
    }
    if (text.find("# Disk DescriptorFile") == std::string::npos)
        return {};
    std::vector<LayerBelow> layers;
    std::istringstream lines(text.substr(0, text.find('\0')));
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("parentFileNameHint"))
            add(layers, layer_of_name(path, between_quotes(line), "vmdk"));
        else if (std::any_of(kExtents.begin(), kExtents.end(), [&](const char* kind) {
                     return line.find(kind) != std::string::npos;
                 }))
            add(layers, layer_of_name(path, between_quotes(line), "raw"));
    }
    return layers;
}

/// {"driver": "qcow2", "file": {"driver": "file", "filename": PATH}}, or with "file.filename".
std::optional<LayerBelow> layer_of_json(const std::string& overlay, const std::string& text,
                                        std::string format)
{
    const auto json = Json::parse(text);
    if (!json || json->fields() == nullptr)
        return std::nullopt;
    const auto word = [](const Json& object, const char* key) {
        const Json* found = object.find(key);
        return found != nullptr && found->text() != nullptr ? *found->text() : std::string();
    };
    const std::string driver = word(*json, "driver");
    if (driver == "file" || driver == "host_device")
        return layer_of_name(overlay, word(*json, "filename"), "raw");
    if (!driver.empty())
        format = driver;
    const Json* file = json->find("file");
    if (file != nullptr && file->fields() != nullptr)
        return layer_of_name(overlay, word(*file, "filename"), format);
    return layer_of_name(overlay, word(*json, "file.filename"), format);
}

} // namespace

std::optional<LayerBelow> layer_of_name(const std::string& overlay, std::string_view name,
                                        std::string format)
{
    constexpr std::string_view kJson = "json:";
    constexpr std::string_view kFile = "file:";
    if (name.starts_with(kJson)) {
        // Not within each other: how deep that goes is up to who wrote it.
        const std::string text(name.substr(kJson.size()));
        return text.find(kJson) == std::string::npos ? layer_of_json(overlay, text, format)
                                                     : std::nullopt;
    }
    if (name.starts_with(kFile))
        name.remove_prefix(kFile.size());
    if (name.empty() || name.find('\0') != std::string_view::npos)
        return std::nullopt;
    // "nbd://host", "rbd:pool/image"; a path with a colon in its first part is written ./a:b.
    const std::size_t colon = name.find(':');
    if (colon != std::string_view::npos && colon < name.find('/'))
        return std::nullopt;
    return LayerBelow{(fs::path(overlay).parent_path() / name).lexically_normal(),
                      std::move(format)};
}

std::vector<LayerBelow> layers_below(const std::string& path, const std::string& format)
{
    if (format == "qcow2")
        return below_qcow2(path);
    if (format == "qcow")
        return below_qcow(path);
    if (format == "qed")
        return below_qed(path);
    if (format == "vmdk")
        return below_vmdk(path);
    return {};
}

} // namespace zraid
