#pragma once

#include "util/paths.h"
#include "util/uuid.h"

#include <string>
#include <vector>

#include <sys/types.h>

namespace zraid {

/// A running (or starting) domain that uses a pool.
struct Claim
{
    std::string domain; ///< its name
    Uuid uuid;
    /// Inode of the claim's file: a claim that was made again has another. 0 for one to be made.
    ino_t generation = 0;
    bool xen = false; ///< started by libvirt's libxl driver, which is asked whether it runs

    bool operator==(const Claim&) const = default;
};

/// Who uses a pool: a file for each domain in /run/zraid/claims/POOL. They outlive the hook and
/// libvirt's daemons, and are gone after a reboot, like the domains.
class Claims
{
public:
    Claims(const Paths& paths, const std::string& pool) : folder_(paths.claims(pool)) {}

    void add(const Claim& claim) const;
    /// @return whether there was one
    bool remove(const Uuid& uuid) const;
    std::vector<Claim> list() const;
    /// Removes what a killed add() or remove() may have left. To be called with the pool's lock.
    void tidy() const;

    /// Names of all pools that have a claim.
    static std::vector<std::string> pools(const Paths& paths);

private:
    std::filesystem::path folder_;
};

} // namespace zraid
