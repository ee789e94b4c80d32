#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace zraid::test {

/// Where things lie in a disk leg, bytes from its start (include/uapi/linux/raid/md_p.h).
struct LegOffset
{
    static constexpr std::size_t magic = 4096;
    static constexpr std::size_t major_version = 4096 + 4;
    static constexpr std::size_t feature_map = 4096 + 8;
    static constexpr std::size_t set_uuid = 4096 + 16;
    static constexpr std::size_t set_name = 4096 + 32;
    static constexpr std::size_t bitmap_offset = 4096 + 96;
    static constexpr std::size_t data_offset = 4096 + 128;
    static constexpr std::size_t dev_number = 4096 + 160;
    static constexpr std::size_t device_uuid = 4096 + 168;
    static constexpr std::size_t devflags = 4096 + 184;
    static constexpr std::size_t bblog_size = 4096 + 186;
    static constexpr std::size_t events = 4096 + 200;
    static constexpr std::size_t checksum = 4096 + 216;
    static constexpr std::size_t max_dev = 4096 + 220;
    static constexpr std::size_t roles = 4096 + 256;
    static constexpr std::size_t bitmap = 8192;
    static constexpr std::size_t bits = 8192 + 256;
};

/// First MiB of a disk leg: an image of 64 MiB, array 0123abcd-4567-89ef-fedc-ba9876543210 named
/// "zraid:vm", bitmap chunks of 4 MiB, 36 events. Recorded from mdadm 4.2 and Linux 6.1.0-56
/// after a write to the array's chunk 4 while it had no RAM leg.
inline std::string recorded_leg()
{
    constexpr std::pair<std::size_t, std::string_view> lines[] = {
        {0x1000, "fc4e2ba90100000001000000000000000123abcd456789effedcba9876543210"},
        {0x1020, "7a726169643a766d000000000000000000000000000000000000000000000000"},
        {0x1040, "60fe006b00000000010000000000000000f80100000000000000000002000000"},
        {0x1060, "0800000000000000000000000000000000000000000000000000000000000000"},
        {0x1080, "000800000000000000f801000000000008000000000000000000000000000000"},
        {0x10a0, "0000000000000000b0c39a56a8edfa665daf3a3dcbac1f0a0100000000000000"},
        {0x10c0, "adfe006b0000000024000000000000000000000000000000e1ba19c180000000"},
        {0x2000, "6269746d040000000123abcd456789effedcba98765432102400000000000000"},
        {0x2020, "000000000000000000f801000000000000000000000040000500000000000000"},
        {0x2100, "1000"},
    };
    std::string leg(std::size_t{1} << 20U, '\0');
    for (const auto& [at, hex] : lines) {
        for (std::size_t i = 0; i < hex.size(); i += 2) {
            unsigned byte = 0;
            std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
            leg.at(at + i / 2) = static_cast<char>(byte);
        }
    }
    const auto fill = [&](std::size_t from, std::size_t to) {
        std::fill(leg.begin() + static_cast<std::ptrdiff_t>(from),
                  leg.begin() + static_cast<std::ptrdiff_t>(to), '\xff');
    };
    fill(0x1102, 0x1200); // roles: none but that of slot 0
    fill(0x2102, 0x3000); // bits behind the last chunk
    return leg;
}

/// Overwrites a little-endian number.
inline void patch(std::string& leg, std::size_t at, std::size_t bytes, std::uint64_t value)
{
    for (std::size_t i = 0; i < bytes; ++i)
        leg.at(at + i) = static_cast<char>(value >> (8 * i) & 0xffU);
}

inline std::uint64_t number_in(const std::string& leg, std::size_t at, std::size_t bytes)
{
    std::uint64_t value = 0;
    for (std::size_t i = bytes; i-- > 0;)
        value = value << 8U | static_cast<unsigned char>(leg.at(at + i));
    return value;
}

} // namespace zraid::test
