#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace zraid {

/// A UUID; md, libvirt and zraid use the same 16 bytes for one pool and each spell them their way.
class Uuid
{
public:
    using Bytes = std::array<std::uint8_t, 16>;

    Uuid() = default;
    explicit Uuid(const Bytes& bytes) : bytes_(bytes) {}

    /// A new random one, from the kernel.
    static Uuid random();
    /// @param text 32 hex digits with any `-` or `:` between them (RFC 4122 or mdadm spelling)
    /// @throws UsageError
    static Uuid parse(std::string_view text);

    /// RFC 4122 spelling, as libvirt writes it.
    std::string text() const;
    /// mdadm's spelling: four groups of eight digits with colons.
    std::string md_text() const;
    const Bytes& bytes() const noexcept { return bytes_; }

    bool operator==(const Uuid&) const = default;

private:
    Bytes bytes_{};
};

} // namespace zraid
