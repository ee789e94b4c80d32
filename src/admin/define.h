#pragma once

#include "admin/admin.h"
#include "pools/definition.h"
#include "pools/store.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace zraid {

/// What the administrator asks for; what is missing is chosen.
struct DefineRequest
{
    std::string name;
    std::string image;
    std::optional<std::uint64_t> size; ///< bytes; nothing: that of the image
    PoolType type = PoolType::disk;
    std::optional<std::string> target;         ///< of an fs pool; nothing: default_target()
    std::optional<int> md_number;              ///< nothing: the lowest free one from 100 on
    std::set<int> avoided_numbers;             ///< that are not chosen: domains name them
    std::optional<std::uint64_t> bitmap_chunk; ///< bytes
    bool preallocate = false;
    PoolSettings settings;
};

/// Makes a pool: definition, image, array, its layout, libvirt's storage pool (if the layout has
/// volumes); in this order,
/// so that after a crash the definition tells what to go on with, or to take away. Asked for the
/// same again, it does what is missing. On failure it undoes what this call did.
PoolDefinition define_pool(const Admin& admin, const DefineRequest& asked);

/// Checks what is asked for, as far as that says it.
/// @throws UsageError
void check_request(const DefineRequest& request);

/// A definition of what is asked for; the image is not looked at, and nothing is written.
/// @param others all pools: the lowest md number is chosen that none of them has
/// @param size of the image, bytes
PoolDefinition choose_definition(const Admin& admin, const DefineRequest& request,
                                 const std::vector<StoredPool>& others, const Uuid& uuid,
                                 std::uint64_t size);

/// Takes a pool away, and its image if asked for; refuses while it has users.
/// @param refuse throws what else is against it, before anything is changed
void undefine_pool(const Admin& admin, const std::string& name, bool remove_image,
                   const std::function<void()>& refuse = {});

} // namespace zraid
