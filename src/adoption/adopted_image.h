#pragma once

#include "devices/file_shift.h"
#include "pools/adoption_record.h"

namespace zraid {

/// The file of a disk that is adopted in place. Under its old name it has its old bytes, and
/// nothing else ever: before they are moved it gets the pool's name for it, IMAGE.zraid, while a
/// lease says that nobody has it open. So whoever uses the old name finds the disk or no file.
///
/// Moving the bytes is a change of the file system's maps, extent by extent. A kill does not stop
/// it half way, but a power cut may; where they lay is written down before, and tells afterwards
/// how far it went. Every call may be repeated.
class AdoptedImage
{
public:
    AdoptedImage(const Paths& paths, const AdoptionRecord& record);

    /// Has the file its old name?
    bool is_shown() const;
    /// Is the pool's array on it?
    bool is_array() const;

    /// @throws Error if it could not be hidden and shifted now, as far as that shows without a
    /// change
    void refuse_unmovable() const;

    /// Takes the old name away.
    /// @throws Error if anybody has it open, or it is not the file that was looked at
    void hide() const;
    /// Gives it its front and tail. No array may be on it, and no loop device.
    void shift_in() const;
    /// The bytes are where they are to be for good.
    void forget_map() const;
    /// Takes front and tail away: old place of each byte, old length. The array goes by it.
    void shift_out() const;
    /// Gives it the old name.
    void show() const;

private:
    ShiftState::Where finish_shift(int fd) const;
    void save_map(const FileMap& map) const;

    const Paths& paths_;
    const AdoptionRecord& record_;
    AdoptionStore store_;
    std::string hidden_;
};

} // namespace zraid
