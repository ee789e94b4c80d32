#include "devices/page_cache.h"

#include "util/fd.h"

#include <fcntl.h>

namespace zraid {

void drop_cached_pages(const std::filesystem::path& file, std::uint64_t from, std::uint64_t to)
{
    const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC)); // NOLINT(*-vararg)
    if (!fd || (to != 0 && to <= from))
        return;
    const auto length = static_cast<off_t>(to == 0 ? 0 : to - from); // 0: to the end
    ::posix_fadvise(fd.get(), static_cast<off_t>(from), length, POSIX_FADV_DONTNEED);
}

} // namespace zraid
