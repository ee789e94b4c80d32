#include "admin/recompress.h"

#include "devices/zram.h"
#include "mirror/mirror.h"
#include "pools/store.h"
#include "util/error.h"

#include <cerrno>

#include <fmt/core.h>

namespace zraid {

namespace {

std::uint64_t stored_bytes(const Paths& paths, const std::string& device)
{
    const auto statistics = zram_statistics(paths, device);
    return statistics ? statistics->stored : 0;
}

} // namespace

RecompressResult recompress_pool(const Admin& admin, const std::string& name,
                                 std::optional<std::chrono::seconds> idle)
{
    const PoolDefinition pool = PoolStore(admin.paths).load(name);
    if (pool.settings.recompressor.empty())
        throw Error("it has no recompressor",
                    "undefine it and define it with one, such as --recompressor zstd; the image "
                    "stays as it is");
    const FileLock lock = lock_pool(admin.paths, name);
    const PoolView view = view_pool(admin.paths, pool);
    if (!view.ram || view.ram->faulty)
        throw Error("it has no RAM leg", fmt::format("zraid-pool attach {}", name));
    const std::string& device = view.ram->device;
    if (!can_recompress(admin.paths, device))
        throw Error("this kernel's zram cannot recompress",
                    "that takes Linux 6.2 or later, built with CONFIG_ZRAM_MULTI_COMP");
    RecompressResult result;
    result.before = stored_bytes(admin.paths, device);
    try {
        recompress_zram(admin.paths, device, idle);
    } catch (const SystemError& e) {
        if (e.code() != EINVAL || !idle)
            throw;
        std::throw_with_nested(
            Error("this kernel does not know how long a page was idle",
                  "give --all, or a kernel with CONFIG_ZRAM_TRACK_ENTRY_ACTIME"));
    }
    result.after = stored_bytes(admin.paths, device);
    return result;
}

} // namespace zraid
