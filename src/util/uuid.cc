#include "util/uuid.h"

#include "util/error.h"

#include <fmt/core.h>
#include <sys/random.h>

namespace zraid {

namespace {

int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

} // namespace

Uuid Uuid::random()
{
    Bytes bytes{};
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        throw Error("get random bytes from the kernel");
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0fU) | 0x40U); // version 4, RFC 4122 4.4
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3fU) | 0x80U);
    return Uuid(bytes);
}

Uuid Uuid::parse(std::string_view text)
{
    Bytes bytes{};
    std::size_t digits = 0;
    for (const char c : text) {
        if (c == '-' || c == ':')
            continue;
        const int value = digit_value(c);
        if (value < 0 || digits == 32)
            throw UsageError(fmt::format("'{}' is no UUID", text));
        auto& byte = bytes.at(digits / 2);
        byte = static_cast<std::uint8_t>((byte << 4U) | value);
        ++digits;
    }
    if (digits != 32)
        throw UsageError(fmt::format("'{}' is no UUID", text));
    return Uuid(bytes);
}

std::string Uuid::text() const
{
    std::string text;
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text += '-';
        text += fmt::format("{:02x}", bytes_.at(i));
    }
    return text;
}

std::string Uuid::md_text() const
{
    std::string text;
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
        if (i > 0 && i % 4 == 0)
            text += ':';
        text += fmt::format("{:02x}", bytes_.at(i));
    }
    return text;
}

} // namespace zraid
