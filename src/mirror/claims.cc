#include "mirror/claims.h"

#include "devices/file_id.h"
#include "util/error.h"
#include "util/files.h"
#include "util/json.h"
#include "util/json_object.h"
#include "util/log.h"

#include <optional>
#include <string_view>

namespace zraid {

namespace {

constexpr const char* kClaimEnding = ".json";

/// The UUID that a claim's file is named after; nothing for other files.
std::optional<Uuid> uuid_in(const std::string& entry)
{
    try {
        return Uuid::parse(entry.substr(0, entry.size() - std::string_view(kClaimEnding).size()));
    } catch (const UsageError&) {
        return std::nullopt;
    }
}

} // namespace

void Claims::add(const Claim& claim) const
{
    make_folder(folder_, 0700);
    // XML parsers do not hand out a name that is no UTF-8, but a VM must not fail to start for it.
    const std::string text =
        Json{{"domain", claim.domain}, {"xen", claim.xen}}.dump(-1, Json::BadText::replace);
    try {
        save_atomically(folder_ / (claim.uuid.text() + kClaimEnding), text + "\n", 0600);
    } catch (...) {
        tidy();
        throw;
    }
}

bool Claims::remove(const Uuid& uuid) const
{
    const bool removed =
        std::filesystem::exists(folder_) && remove_durably(folder_ / (uuid.text() + kClaimEnding));
    tidy();
    return removed;
}

void Claims::tidy() const
{
    for (const std::string& entry : entries_of(folder_)) {
        if (entry.ends_with(".new")) // of one that was killed
            std::filesystem::remove(folder_ / entry);
    }
    std::error_code ignored; // not empty: others claim it too
    std::filesystem::remove(folder_, ignored);
}

std::vector<Claim> Claims::list() const
{
    std::vector<Claim> claims;
    for (const std::string& entry : entries_of(folder_)) {
        if (!entry.ends_with(kClaimEnding))
            continue;
        const auto text = read_if_there(folder_ / entry);
        const auto file = file_id(folder_ / entry);
        if (!text || !file)
            continue;
        // The name is for people only; the claim counts by its file's name.
        const JsonObject json(*text);
        if (const auto uuid = uuid_in(entry))
            claims.push_back({json.text("domain", "?"), *uuid, file->inode, json.flag("xen")});
    }
    return claims;
}

std::vector<std::string> Claims::pools(const Paths& paths)
{
    return entries_of(paths.run / "claims");
}

} // namespace zraid
