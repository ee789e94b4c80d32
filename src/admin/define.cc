#include "admin/define.h"

#include "admin/libvirt_pool.h"
#include "admin/users.h"
#include "devices/image.h"
#include "devices/partitions.h"
#include "devices/superblock.h"
#include "mirror/hold.h"
#include "mirror/mirror.h"
#include "mirror/ram_leg.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/log.h"
#include "util/rollback.h"
#include "util/size.h"
#include "util/xml_text.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

namespace zraid {

namespace {

constexpr int kFirstMdNumber = 100;

void check_size(std::uint64_t size)
{
    if (size < kMinImageSize)
        throw UsageError(fmt::format("{} is too small for a pool", format_size(size)),
                         "give at least 16M");
    if (size > kMaxImageSize)
        throw UsageError(fmt::format("{} is too large for a pool", format_size(size)),
                         "give at most 16T: zram cannot mirror more");
}

void check_path(const std::string& path)
{
    if (!path.starts_with('/'))
        throw UsageError(fmt::format("image path '{}' is relative", path),
                         "give it from the root on");
    if (!is_xml_text(path) || path.find_first_of("\t\n") != std::string::npos)
        throw UsageError("the image path has control characters in it, or is not UTF-8",
                         "rename the file");
}

void check_request(const DefineRequest& request)
{
    check_pool_name(request.name);
    check_path(request.image);
    if (!is_xml_text(request.description))
        throw UsageError("the description has control characters in it, or is not UTF-8",
                         "leave them out");
    if (request.size)
        check_size(*request.size);
    if (request.md_number && (*request.md_number < 0 || *request.md_number > kMaxMdNumber))
        throw UsageError(fmt::format("md number {} is not possible", *request.md_number),
                         "give one from 0 to 511");
    if (request.ram_limit && *request.ram_limit < MiB)
        throw UsageError(
            fmt::format("a RAM limit of {} is too small", format_size(*request.ram_limit)),
            "give at least 1M");
}

void refuse_image_of(const PoolDefinition& other, const DefineRequest& request)
{
    const auto theirs = file_id(other.image);
    if (other.image == request.image || (theirs && theirs == file_id(request.image)))
        throw Error(
            fmt::format("image '{}' belongs to pool '{}' already", request.image, other.name),
            "give another image");
}

void refuse_attached_image(const Paths& paths, const DefineRequest& request)
{
    const auto image = file_id(request.image);
    if (!image)
        return;
    for (const Loop& loop : loops_of(paths, *image))
        throw Error(
            fmt::format("image '{}' is attached to /dev/{} already", request.image, loop.name),
            fmt::format("unmount it if it is mounted, then losetup -d /dev/{}", loop.name));
}

int choose_md_number(const Admin& admin, const std::vector<StoredPool>& pools,
                     const DefineRequest& request)
{
    std::set<int> taken;
    for (const StoredPool& pool : pools) {
        if (pool.definition)
            taken.insert(pool.definition->md_number);
    }
    for (const int number : list_md(admin.paths))
        taken.insert(number);
    if (request.md_number) {
        if (taken.contains(*request.md_number))
            throw Error(fmt::format("/dev/md{} is in use already", *request.md_number),
                        "give another --md, or none");
        return *request.md_number;
    }
    for (int number = kFirstMdNumber; number <= kMaxMdNumber; ++number) {
        if (!taken.contains(number))
            return number;
    }
    throw Error("all md numbers from 100 to 511 are taken", "give a lower one with --md");
}

/// The UUID for a new definition: that of the array on the image if it is this pool's, else new.
Uuid choose_uuid(const DefineRequest& request, const ImageInfo& image)
{
    if (image.content == ImageContent::other)
        throw Error(fmt::format("image '{}' holds something already", request.image),
                    "give an empty or a new file; nothing was changed");
    if (image.content != ImageContent::array)
        return Uuid::random();
    const auto superblock = read_superblock(request.image);
    PoolDefinition expected;
    expected.name = request.name;
    if (!superblock || superblock->name != expected.array_name())
        throw Error(fmt::format("image '{}' holds the array '{}', which is not this pool's",
                                request.image, superblock ? superblock->name : "?"),
                    "define the pool under the name that it was made with, or give another image");
    return superblock->array_uuid;
}

std::uint64_t choose_size(const DefineRequest& request, const ImageInfo& image)
{
    if (image.content == ImageContent::missing) {
        if (!request.size)
            throw UsageError(fmt::format("there is no image '{}' yet", request.image),
                             "give its --size, and it is made");
        return (*request.size + kSectorSize - 1) / kSectorSize * kSectorSize;
    }
    check_size(image.size);
    if (image.size % kSectorSize != 0)
        throw Error(fmt::format("the size of image '{}', {} bytes, is no multiple of 4096",
                                request.image, image.size),
                    fmt::format("truncate -s %4096 '{}' makes it one", request.image));
    if (request.size && *request.size != image.size)
        throw Error(fmt::format("image '{}' has {} bytes, not {}", request.image, image.size,
                                *request.size),
                    "leave out --size to take the image as it is");
    return image.size;
}

void check_compressor(const Admin& admin, const std::string& pool, const std::string& compressor)
{
    if (compressor.empty())
        return;
    const auto offered = offered_compressors(admin.paths, pool);
    if (std::find(offered.begin(), offered.end(), compressor) == offered.end())
        throw UsageError(fmt::format("this kernel has no compressor '{}'", compressor),
                         fmt::format("choose one of {}", fmt::join(offered, ", ")));
}

PoolDefinition new_definition(const Admin& admin, const DefineRequest& request,
                              const std::vector<StoredPool>& others)
{
    for (const StoredPool& other : others) {
        if (other.definition)
            refuse_image_of(*other.definition, request);
    }
    const ImageInfo image = inspect_image(request.image);
    refuse_attached_image(admin.paths, request);

    PoolDefinition pool;
    pool.name = request.name;
    pool.uuid = choose_uuid(request, image);
    pool.type = request.type;
    pool.description = request.description;
    pool.image = request.image;
    pool.size = choose_size(request, image);
    pool.md_number = choose_md_number(admin, others, request);
    pool.bitmap_chunk = request.bitmap_chunk.value_or(default_bitmap_chunk(pool.size));
    check_bitmap_chunk(pool.bitmap_chunk, pool.size);
    pool.attach = request.attach;
    check_compressor(admin, request.name, request.compressor);
    check_compressor(admin, request.name, request.recompressor);
    pool.compressor = request.compressor;
    pool.recompressor = request.recompressor;
    pool.writes = request.writes;
    pool.ram_limit = request.ram_limit;
    pool.ram_required = request.ram_required;
    pool.libvirt = request.libvirt;
    pool.autostart = request.autostart;
    return pool;
}

/// An existing definition is gone on with only if it says what is asked for.
void check_same(const PoolDefinition& pool, const DefineRequest& request)
{
    const auto differs = [&](const char* what) {
        throw Error(fmt::format("the pool is defined already, with another {}", what),
                    fmt::format("zraid-pool dumpxml {0} shows it; zraid-pool undefine {0} takes it "
                                "away",
                                pool.name));
    };
    if (pool.image != request.image)
        differs("image");
    if (request.size && (*request.size + kSectorSize - 1) / kSectorSize * kSectorSize != pool.size)
        differs("size");
    if (request.md_number && *request.md_number != pool.md_number)
        differs("md number");
    if (request.bitmap_chunk && *request.bitmap_chunk != pool.bitmap_chunk)
        differs("bitmap chunk");
    if (request.type != pool.type || request.attach != pool.attach ||
        request.compressor != pool.compressor || request.recompressor != pool.recompressor ||
        request.writes != pool.writes || request.ram_limit != pool.ram_limit ||
        request.ram_required != pool.ram_required || request.libvirt != pool.libvirt ||
        request.autostart != pool.autostart || request.description != pool.description)
        differs("setting");
}

PoolDefinition find_or_make_definition(const Admin& admin, const DefineRequest& request,
                                       Rollback& rollback)
{
    const PoolStore store(admin.paths);
    if (store.contains(request.name)) {
        PoolDefinition pool = store.load(request.name);
        check_same(pool, request);
        return pool;
    }
    const PoolDefinition pool = new_definition(admin, request, store.load_all());
    if (pool.libvirt)
        refuse_foreign_pool(LibvirtConnection(admin.uri), pool);
    store.save(pool);
    rollback.add("remove the definition",
                 [&admin, pool] { PoolStore(admin.paths).remove(pool.name); });
    return pool;
}

void make_image(const PoolDefinition& pool, const DefineRequest& request, Rollback& rollback)
{
    const ImageInfo image = inspect_image(pool.image);
    if (image.content == ImageContent::missing) {
        create_image(pool.image, pool.size, request.preallocate);
        rollback.add("remove the image", [pool] { ::unlink(pool.image.c_str()); });
    } else if (image.content == ImageContent::empty) {
        rollback.add("blank the image", [pool] { blank_image_ends(pool.image); });
    }
}

void make_array(const Admin& admin, Mirror& mirror, const FileLock& lock,
                const PoolDefinition& pool, Rollback& rollback)
{
    if (mirror.view().state() != PoolState::inactive)
        return;
    // Undone behind the end of `mirror`, so with one of its own.
    rollback.add("stop the array",
                 [&admin, &lock, pool] { Mirror(admin.paths, pool, lock).stop(); });
    mirror.create();
    const PartitionTable table = read_partition_table(pool.md_device());
    if (table == PartitionTable::other)
        throw Error(fmt::format("'{}' holds something that is no GPT", pool.md_device()),
                    "look at it with blkid; nothing was changed");
    if (table == PartitionTable::none)
        make_gpt(pool.md_device(), lock.fd());
}

} // namespace

PoolDefinition define_pool(const Admin& admin, const DefineRequest& request)
{
    check_request(request);
    // One definition at a time: names, images and md numbers are compared with those of all others.
    const FileLock all = lock_pool(admin.paths, ".define");
    const FileLock lock = lock_pool(admin.paths, request.name);
    Rollback rollback;
    const PoolDefinition pool = find_or_make_definition(admin, request, rollback);
    Mirror mirror(admin.paths, pool, lock);
    make_image(pool, request, rollback);
    make_array(admin, mirror, lock, pool, rollback);
    if (pool.libvirt)
        register_pool(admin, LibvirtConnection(admin.uri), pool);
    if (pool.attach == AttachPolicy::always)
        attach_if_possible(admin.paths, mirror, pool.name);
    rollback.keep();
    return pool;
}

void undefine_pool(const Admin& admin, const std::string& name, bool remove_image)
{
    const PoolStore store(admin.paths);
    store.raw_xml(name); // is there one?
    const auto dead = dead_claims(admin, name);
    const FileLock all = lock_pool(admin.paths, ".define");
    const FileLock lock = lock_pool(admin.paths, name);
    const PoolDefinition pool = store.load(name);
    drop_claims(admin, name, dead);
    refuse_users(admin, name);

    Rollback rollback;
    if (pool.libvirt) {
        // Asked before anything is changed: without libvirt nothing of this is done.
        const LibvirtConnection libvirt(admin.uri);
        if (deactivate_pool(libvirt, pool))
            rollback.add("start the storage pool again",
                         [&admin, pool] { LibvirtConnection(admin.uri).start_pool(pool.name); });
        Mirror(admin.paths, pool, lock).stop();
        rollback.keep();
        unregister_pool(libvirt, pool);
    } else {
        Mirror(admin.paths, pool, lock).stop();
    }
    if (remove_image && ::unlink(pool.image.c_str()) != 0 && errno != ENOENT)
        throw SystemError(errno, fmt::format("remove '{}'", pool.image));
    set_hold(admin.paths, name, Hold::none);
    store.remove(name);
}

} // namespace zraid
