#include "pools/schema.h"

#include "schema/validate.h"
#include "util/error.h"
#include "util/files.h"
#include "util/log.h"

#include <optional>

#include <dlfcn.h>
#include <fmt/core.h>
#include <sys/stat.h>

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

/// Where the text is kept that was found good last. To load libxml2 and read the schema takes a
/// quarter of the time that a hook takes to attach a RAM leg, mostly for a text that did not
/// change.
std::filesystem::path passed_file(const Paths& paths, const std::string& source)
{
    return paths.run / "valid" / std::filesystem::path(source).filename();
}

/// Another schema has another one. @return "" if there is no such file
std::string identity(const std::filesystem::path& file)
{
    struct stat info = {};
    if (::stat(file.c_str(), &info) != 0)
        return "";
    return fmt::format("{} {} {} {}.{}", info.st_dev, info.st_ino, info.st_size,
                       info.st_ctim.tv_sec, info.st_ctim.tv_nsec);
}

std::optional<std::string> remembered(const std::filesystem::path& passed)
{
    try {
        return read_if_there(passed);
    } catch (const std::exception&) { // then it is checked again
        return std::nullopt;
    }
}

void remember(const std::filesystem::path& passed, const std::string& text)
{
    try {
        make_folder(passed.parent_path(), 0700);
        save_atomically(passed, text, 0600);
    } catch (const std::exception& e) { // not root, no room: the next one checks again
        log().debug("not noted as valid: {}", explain(e));
    }
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
    const std::filesystem::path schema = paths.share / "zraidpool.rng";
    const std::filesystem::path passed = passed_file(paths, source);
    const std::string now = identity(schema) + "\n" + xml;
    if (remembered(passed) == now)
        return;
    check_schema(paths, schema, xml, source);
    remember(passed, now);
}

void forget_pool_schema(const Paths& paths, const std::string& source)
{
    std::error_code ignored; // at worst it is a file that nobody reads
    std::filesystem::remove(passed_file(paths, source), ignored);
}

} // namespace zraid
