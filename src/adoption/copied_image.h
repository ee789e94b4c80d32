#pragma once

#include "devices/qemu_img.h"
#include "pools/adoption_record.h"

#include <functional>
#include <string>

namespace zraid {

/// What is told of long work: the share that is done, 0 to 100.
using Progress = std::function<void(double)>;

/// The file of a disk that is adopted by copying it. It has its old name until the copy is
/// complete, then it is kept under another one; it is never written to. The pool's image is a file
/// of its own, which counts for nothing before that. Every call may be repeated.
class CopiedImage
{
public:
    CopiedImage(const Paths& paths, const AdoptionRecord& record);

    /// Has the file its old name? If not, it is kept, and the copy is complete.
    bool is_shown() const;

    /// @return stamp of the file, which nobody has open
    std::string begin() const;
    /// The pool's image, all zeros; one that is there goes. No array may be on it.
    void make_pool_image() const;
    /// Copies the disk into the volume, which has to be fresh, up to the pool's disk.
    void copy(const Progress& show, int lock_fd) const;
    /// Takes the old name away.
    /// @param stamp as begin() gave it
    /// @throws Error if the file was changed since, or anybody has it open
    void hide(const std::string& stamp) const;
    /// Gives it the old name again.
    void show() const;
    /// The pool's image goes.
    void remove_pool_image() const;

private:
    ImageSource source() const;

    const Paths& paths_;
    const AdoptionRecord& record_;
};

/// @throws Error with the figures if a folder's file system has not so many bytes free
void need_room(const std::string& folder, std::uint64_t bytes, const std::string& next);

} // namespace zraid
