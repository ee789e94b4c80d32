#pragma once

#include "admin/admin.h"
#include "devices/write_errors.h"
#include "util/wait.h"

#include <optional>
#include <string>

namespace zraid {

/// Looks for data of one pool that its image's device refused. Apart from all else that the monitor
/// does for the pool: it asks nobody but the kernel, waits for no lock, and is on time.
class ErrorWatch
{
public:
    /// Whether it looks again and again.
    enum class Stays
    {
        no,
        yes,
    };

    ErrorWatch(Admin admin, std::string pool, Stays stays)
        : admin_(std::move(admin)), name_(std::move(pool)), stays_(stays)
    {
    }

    /// Data that a guest flushed may be missing on the image's device without md knowing: the pool
    /// is in doubt then, which keeps its RAM leg until the legs were compared.
    /// @return when to look again, if nothing happens before
    std::optional<Milliseconds> look();

    /// Whether the last look put the pool in doubt.
    bool noted() const { return noted_; }

private:
    void tell_of(const std::string& why, bool kept);

    Admin admin_;
    std::string name_;
    Stays stays_;
    std::optional<WriteErrors> errors_; ///< of the image of an array that is up
    std::string told_;                  ///< last
    bool noted_ = false;
};

} // namespace zraid
