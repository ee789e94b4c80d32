#include "devices/qemu_img.h"

#include "util/error.h"
#include "util/json_object.h"
#include "util/process.h"
#include "util/size.h"

#include <charconv>

#include <fmt/core.h>

namespace zraid {

namespace {

/// A value in a list of QEMU's options: a comma is written twice.
std::string option_value(const std::string& text)
{
    std::string value;
    for (const char c : text)
        value += c == ',' ? std::string(",,") : std::string(1, c);
    return value;
}

std::vector<std::string> words_of(const ImageSource& source)
{
    if (source.size == 0)
        return {"-f", source.format, source.path};
    return {"--image-opts",
            fmt::format("driver=raw,offset={},size={},file.driver=file,file.filename={}",
                        source.offset, source.size, option_value(source.path))};
}

void append(std::vector<std::string>& words, const std::vector<std::string>& more)
{
    words.insert(words.end(), more.begin(), more.end());
}

} // namespace

std::uint64_t bytes_to_copy(const ImageSource& source)
{
    // Of raw as the target it would tell the whole size.
    Command command{{"qemu-img", "measure", "--output=json", "-O", "qcow2"}};
    append(command.argv, words_of(source));
    command.timeout = Milliseconds{600'000}; // the map of a large file that lies in pieces
    const std::string answer = run(command).out;
    const std::uint64_t bytes = JsonObject(answer).number("required");
    if (bytes == 0)
        throw Error(fmt::format("qemu-img measure '{}': answer not understood", source.path));
    return bytes;
}

std::optional<double> last_percent(const std::string& text)
{
    const std::size_t end = text.rfind("/100%)");
    const std::size_t begin = end == std::string::npos ? std::string::npos : text.rfind('(', end);
    if (begin == std::string::npos)
        return std::nullopt;
    double percent = 0;
    const auto parsed = std::from_chars(text.data() + begin + 1, text.data() + end, percent);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + end || percent < 0 || percent > 100)
        return std::nullopt;
    return percent;
}

void copy_image(const ImageSource& source, const ImageTarget& target, std::uint64_t size,
                const std::function<void(double)>& show, int lock_fd)
{
    Command command{{"setpriv", "--pdeathsig", "KILL", "qemu-img", "convert", "-p", "-n",
                     "--target-is-zero", "-t", target.direct ? "none" : "writeback"}};
    append(command.argv, words_of(source));
    append(command.argv, {"-O", target.format, target.path});
    if (lock_fd >= 0)
        command.keep_open = {lock_fd};
    // It tells each percent. A disk that has to be waited for so long is as good as dead.
    command.timeout = Milliseconds{600'000 + size / 100 / (4 * MiB) * 1000};
    std::string told;
    command.on_output = [&](const std::string& text) {
        told += text;
        if (const auto percent = last_percent(told))
            show(*percent);
    };
    run(command);
}

} // namespace zraid
