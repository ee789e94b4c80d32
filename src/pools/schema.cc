#include "pools/schema.h"

#include "schema/validate.h"
#include "util/error.h"

#include <optional>

#include <dlfcn.h>
#include <fmt/format.h>

namespace zraid {

namespace {

using Validate = decltype(&zraid_validate);

/// Never unloaded: what is checked once is checked again.
Validate load_validate(const Paths& paths)
{
    const std::string file = paths.lib / "zraid-schema.so";
    void* module = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    void* symbol = module ? ::dlsym(module, "zraid_validate") : nullptr;
    if (!symbol)
        throw Error(fmt::format("what checks definitions cannot be loaded: {}",
                                ::dlerror()), // NOLINT(concurrency-mt-unsafe)
                    "install zraid again");
    return reinterpret_cast<Validate>(symbol);
}

} // namespace

void check_schema(const Paths& paths, const std::string& schema_file, const std::string& xml,
                  const std::string& source)
{
    std::optional<Error> refusal;
    const auto refuse = [](void* context, const char* what, const char* next) {
        static_cast<std::optional<Error>*>(context)->emplace(what, next);
    };
    load_validate(paths)(schema_file.c_str(), xml.data(), xml.size(), source.c_str(), refuse,
                         &refusal);
    if (refusal)
        throw Error(*refusal);
}

void check_pool_schema(const Paths& paths, const std::string& xml, const std::string& source)
{
    check_schema(paths, paths.share / "zraidpool.rng", xml, source);
}

} // namespace zraid
