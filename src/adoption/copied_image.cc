#include "adoption/copied_image.h"

#include "adoption/hidden_file.h"
#include "devices/file_stamp.h"
#include "devices/image.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/files.h"
#include "util/size.h"

#include <fcntl.h>
#include <fmt/core.h>

namespace zraid {

CopiedImage::CopiedImage(const Paths& paths, const AdoptionRecord& record)
    : paths_(paths), record_(record)
{
}

bool CopiedImage::is_shown() const
{
    return is_file_shown(record_.image, kept_image_path(record_.image));
}

std::string CopiedImage::begin() const
{
    refuse_open_file(paths_, record_.image);
    return file_stamp(record_.image);
}

void CopiedImage::make_pool_image() const
{
    remove_pool_image();
    create_image(record_.pool.image, record_.pool.size, false);
}

ImageSource CopiedImage::source() const
{
    return {record_.image, record_.format};
}

void CopiedImage::copy(const Progress& show, int lock_fd) const
{
    // Opened before, so that an error of writing it back, whenever it comes, is told here too.
    const UniqueFd image = open_file(record_.pool.image, O_RDONLY);
    copy_image(source(), {record_.device(), "raw", true}, record_.size, show, lock_fd);
    sync_file(open_file(record_.device(), O_RDWR).get(), record_.device());
    sync_file(image.get(), record_.pool.image);
}

void CopiedImage::hide(const std::string& stamp) const
{
    hide_file(paths_, record_.image, kept_image_path(record_.image), [&](int) {
        if (file_stamp(record_.image) != stamp)
            throw Error(fmt::format("'{}' was changed while it was copied", record_.image),
                        "try again with the domain shut off");
    });
}

void CopiedImage::show() const
{
    show_file(record_.image, kept_image_path(record_.image));
}

void CopiedImage::remove_pool_image() const
{
    remove_durably(record_.pool.image);
}

void need_room(const std::string& folder, std::uint64_t bytes, const std::string& next)
{
    const auto space = std::filesystem::space(folder);
    if (space.capacity != 0 && space.available < bytes) // a tmpfs without a limit has none
        throw Error(fmt::format("the copy needs {}, and '{}' has {} free", format_size(bytes),
                                folder, format_size(space.available)),
                    next);
}

} // namespace zraid
