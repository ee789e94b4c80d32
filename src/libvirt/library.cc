#include "libvirt/library.h"

#include "util/error.h"

#include <dlfcn.h>
#include <fmt/core.h>

namespace zraid {

namespace {

constexpr const char* file = "libvirt.so.0";
constexpr const char* next = "Install libvirt0 and libvirt-daemon-system.";

void* symbol(void* library, const char* name)
{
    void* found = ::dlsym(library, name);
    if (!found)
        throw Error(fmt::format("{} has no {}", file, name), next);
    return found;
}

LibvirtLibrary load()
{
    void* library = ::dlopen(file, RTLD_LAZY | RTLD_LOCAL);
    if (!library)
        throw Error(fmt::format("load libvirt's library: {}", ::dlerror()), next);
    LibvirtLibrary functions{};
// NOLINTNEXTLINE(cppcoreguidelines-macro-usage)
#define ZRAID_LIBVIRT_FIND(name)                                                                   \
    functions.name = reinterpret_cast<decltype(functions.name)>(symbol(library, #name));
    ZRAID_LIBVIRT_FUNCTIONS(ZRAID_LIBVIRT_FIND)
#undef ZRAID_LIBVIRT_FIND
    return functions;
}

} // namespace

const LibvirtLibrary& libvirt()
{
    static const LibvirtLibrary functions = load();
    return functions;
}

} // namespace zraid
