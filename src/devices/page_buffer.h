#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>

namespace zraid {

/// Memory, zeroed, that O_DIRECT can use.
class PageBuffer
{
public:
    /// @param size bytes, a multiple of 4096
    explicit PageBuffer(std::size_t size)
        : memory_(static_cast<std::uint8_t*>(std::aligned_alloc(kPage, size)), std::free),
          size_(size)
    {
        if (!memory_)
            throw std::bad_alloc();
        std::fill_n(memory_.get(), size, std::uint8_t{0});
    }
    std::span<std::uint8_t> bytes() const { return {memory_.get(), size_}; }

private:
    static constexpr std::size_t kPage = 4096;
    std::unique_ptr<std::uint8_t, decltype(&std::free)> memory_;
    std::size_t size_;
};

} // namespace zraid
