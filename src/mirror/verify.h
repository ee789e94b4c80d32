#pragma once

#include "devices/bitmap.h"
#include "pools/definition.h"
#include "util/paths.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace zraid {

/// Who may say which leg is right.
enum class DoubtKind
{
    ram_is_right, ///< the image may lack what the RAM leg has: a comparison mends it
    unknown,      ///< a scrub found a difference: an administrator has to say
};

/// A disk leg that failed may lack more than md's bitmap says. A write that is in the host's page
/// cache counts as done for md, and md clears its bit some seconds later; if the write-back to the
/// image's device fails then, the bit is gone though the data never arrived. So a disk leg that
/// comes back is marked as doubtful before md gets it, and until it was compared with the array the
/// RAM leg is not dropped. The same goes for one whose device refused data without md taking notice
/// (WriteErrors), and for an image that was cut while it was in use, whatever was done about it
/// since. The mark is gone after a reboot, as the RAM leg is.
class DoubtMark
{
public:
    DoubtMark(const Paths& paths, const std::string& pool) : file_(paths.run / "doubts" / pool) {}

    /// A new mark, also if there is one: a comparison that began before it does not end it. One
    /// that cannot be written is remembered by this process.
    /// @param why in words
    /// @param kind nothing: as it was; a difference that nobody knows the right side of stays so
    void set(const std::string& why, std::optional<DoubtKind> kind = std::nullopt) const;
    /// Which mark there is: each has another number; 0 for none.
    std::uint64_t id() const;
    DoubtKind kind() const;
    /// As it was given; empty if there is no mark.
    std::string why() const;
    /// Takes it away if it is still this one.
    void clear(std::uint64_t id) const;
    /// Takes it away whatever it is.
    void clear() const { clear(id()); }

private:
    std::string text() const;

    std::filesystem::path file_;
};

/// Chunks of the array's bitmap in which the image, as it is on its device, differs from the array.
/// Reads all of both. Blocks that a guest writes meanwhile are looked at again some times.
/// @param show called now and then with the share that is done, 0 to 100
std::vector<ChunkRange> differing_chunks(const Paths& paths, const PoolDefinition& pool,
                                         const std::function<void(double)>& show);

} // namespace zraid
