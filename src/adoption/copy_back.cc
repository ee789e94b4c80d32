#include "adoption/copy_back.h"

#include "admin/libvirt_pool.h"
#include "adoption/adopted_domain.h"
#include "adoption/hidden_file.h"
#include "devices/file_id.h"
#include "devices/file_like.h"
#include "devices/file_stamp.h"
#include "devices/qcow2.h"
#include "libvirt/connection.h"
#include "mirror/mirror.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/files.h"
#include "util/rollback.h"

#include <cerrno>

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

namespace zraid {

namespace {

std::uint64_t whole_sectors(std::uint64_t bytes)
{
    return (bytes + 511) / 512 * 512;
}

/// The disk in the pool's image.
ImageSource source_of(const AdoptionRecord& record)
{
    return {record.pool.image, "raw", kAdoptedFront, whole_sectors(record.size)};
}

std::string folder_of(const std::string& path)
{
    return std::filesystem::path(path).parent_path();
}

void give_length(const UniqueFd& fd, const std::string& path, std::uint64_t size)
{
    if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0)
        throw SystemError(errno, fmt::format("give '{}' a length of {} bytes", path, size));
}

void make_file(const AdoptionRecord& record, const std::string& path)
{
    const std::string kept = kept_image_path(record.image);
    make_file_like(path, file_id(kept) ? kept : record.pool.image);
}

/// Makes the new file complete.
void fill_file(const AdoptionRecord& record, const std::string& path, const Progress& show,
               int lock_fd)
{
    const UniqueFd fd = open_file(path, O_RDWR);
    const bool raw = record.format == "raw";
    if (raw)
        give_length(fd, path, whole_sectors(record.size));
    else
        make_qcow2(path, record.qcow2, record.size);
    copy_image(source_of(record), {path, record.format}, record.size, show, lock_fd);
    if (raw)
        give_length(fd, path, record.size);
    sync_file(fd.get(), path);
}

void save(const Admin& admin, AdoptionRecord& record, AdoptionPhase phase,
          const std::string& new_stamp, const std::string& pool_stamp)
{
    record.phase = phase;
    record.new_stamp = new_stamp;
    record.pool_stamp = pool_stamp;
    AdoptionStore(admin.paths).save(record);
}

} // namespace

bool is_copied_back(const Admin& admin, const AdoptionRecord& record)
{
    if (!file_id(record.image))
        return false;
    const std::string now = content_stamp(record.image);
    if (record.phase != AdoptionPhase::releasing || !same_file(record.new_stamp, now))
        throw Error(fmt::format("there is a file '{}'", record.image),
                    "move it away: the disk is on the pool, and is to have that name");
    if (!has_volume(LibvirtDomains(admin.uri), record).value_or(true) ||
        !file_id(record.pool.image))
        return true;
    if (now != record.new_stamp)
        throw Error(fmt::format("'{}' is not as a release that was killed left it", record.image),
                    fmt::format("if it is the disk, give it to the domain (virsh edit {}); if that "
                                "is on the pool, move the file away; then try again",
                                record.domain));
    return file_stamp(record.pool.image) == record.pool_stamp;
}

void need_room_for_release(const AdoptionRecord& record)
{
    need_room(folder_of(record.image), bytes_to_copy(source_of(record)),
              fmt::format("make room there; '{}', the disk as it was, may go if nobody needs it",
                          kept_image_path(record.image)));
}

void copy_back(const Admin& admin, AdoptionRecord& record, const FileLock& lock,
               const Progress& show)
{
    const std::string path = new_image_path(record.image);
    if (record.phase == AdoptionPhase::adopted && file_id(path))
        throw Error(fmt::format("there is a file '{}'", path), "move it away");
    const LibvirtConnection libvirt(admin.uri);
    Rollback rollback;
    deactivate_pool(admin, libvirt, record.pool, rollback);
    rollback.add("assemble the array again",
                 [&] { Mirror(admin.paths, record.pool, lock).assemble(); });
    Mirror(admin.paths, record.pool, lock).stop();
    if (file_id(record.image)) // of one that was killed, and the guest has written since
        remove_durably(record.image);
    save(admin, record, AdoptionPhase::releasing, "", "");
    rollback.add("note that it stays adopted",
                 [&] { save(admin, record, AdoptionPhase::adopted, "", ""); });
    rollback.add("remove the new file", [&] { remove_durably(path); });
    remove_durably(path);
    make_file(record, path);
    const std::string stamp = file_stamp(record.pool.image);
    in_context("copy the disk back", [&] { fill_file(record, path, show, lock.fd()); });
    if (file_stamp(record.pool.image) != stamp)
        throw Error(fmt::format("'{}' was changed while it was copied", record.pool.image),
                    "try again with the domain shut off");
    save(admin, record, AdoptionPhase::releasing, content_stamp(path), stamp);
    rename_durably(path, record.image);
    rollback.keep();
}

} // namespace zraid
