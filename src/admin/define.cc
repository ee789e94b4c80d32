#include "admin/define.h"

#include "admin/libvirt_pool.h"
#include "admin/users.h"
#include "devices/bitmap.h"
#include "devices/block_device.h"
#include "devices/device_names.h"
#include "devices/image.h"
#include "devices/superblock.h"
#include "layout/layout.h"
#include "mirror/hold.h"
#include "mirror/mirror.h"
#include "mirror/ram_leg.h"
#include "pools/adoption_record.h"
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

/// @param what "image", "target"
void check_path(const std::string& what, const std::string& path)
{
    if (!path.starts_with('/'))
        throw UsageError(fmt::format("{} path '{}' is relative", what, path),
                         "give it from the root on");
    if (!is_xml_text(path) || path.find_first_of("\t\n") != std::string::npos)
        throw UsageError(
            fmt::format("the {} path has control characters in it, or is not UTF-8", what),
            what == "image" ? "rename the file" : "give another one");
}

void check_target(const DefineRequest& request)
{
    if (!request.target)
        return;
    if (!has_target(request.type))
        throw UsageError(fmt::format("a pool of type {} is not mounted", to_string(request.type)),
                         "leave out --target, or give --type fs");
    check_path("target", *request.target);
}

/// What is wrong on any host; which compressors there are, only the kernel knows.
void check_settings(const PoolSettings& settings)
{
    if (!is_xml_text(settings.description))
        throw UsageError("the description has control characters in it, or is not UTF-8",
                         "leave them out");
    if (settings.ram_limit && *settings.ram_limit < MiB)
        throw UsageError(
            fmt::format("a RAM limit of {} is too small", format_size(*settings.ram_limit)),
            "give at least 1M");
}

} // namespace

void check_request(const DefineRequest& request)
{
    check_pool_name(request.name);
    check_path("image", request.image);
    check_target(request);
    if (request.size)
        check_size(*request.size);
    if (request.md_number && (*request.md_number < 0 || *request.md_number > kMaxMdNumber))
        throw UsageError(fmt::format("md number {} is not possible", *request.md_number),
                         "give one from 0 to 511");
    check_settings(request.settings);
}

namespace {

void refuse_image_of(const PoolDefinition& other, const DefineRequest& request)
{
    const auto theirs = file_id(other.image);
    if (other.image == request.image || (theirs && theirs == file_id(request.image)))
        throw Error(
            fmt::format("image '{}' belongs to pool '{}' already", request.image, other.name),
            "give another image");
}

/// As the kernel and libvirt name it: without links on the way.
std::string real_target(const std::string& path)
{
    std::string target = std::filesystem::weakly_canonical(path);
    if (target.size() > 1 && target.ends_with('/'))
        target.pop_back();
    return target;
}

void refuse_layout(const Admin& admin, const PoolDefinition& pool,
                   const std::vector<StoredPool>& others)
{
    for (const StoredPool& other : others) {
        if (other.definition && !pool.target.empty() && other.definition->target == pool.target)
            throw Error(fmt::format("'{}' belongs to pool '{}' already", pool.target, other.name),
                        "give another --target");
    }
    layout_of(admin.paths, pool)->refuse_taken();
}

bool is_of_pool(const MdSuperblock& superblock, const std::string& name)
{
    PoolDefinition expected;
    expected.name = name;
    return superblock.name == expected.array_name();
}

/// The pool's array whose definition was lost. It is not taken up: what it holds may be newer than
/// the image, and in use.
void refuse_running_array(const Paths& paths, const DefineRequest& request, const Loop& loop)
{
    const auto number = md_holding(paths, loop.name);
    const auto superblock = number ? read_superblock(request.image) : std::nullopt;
    if (!superblock || !is_of_pool(*superblock, request.name))
        return;
    throw Error(
        fmt::format("image '{}' is a leg of /dev/md{}, which runs without a definition",
                    request.image, *number),
        fmt::format("put '{0}' back from a backup, and zraid knows it again; without one: shut "
                    "down what uses it, see in /proc/mdstat that {1} is in it and did not fail, "
                    "mdadm --stop /dev/md{2} && losetup -d /dev/{1}, and define it again",
                    PoolStore(paths).file(request.name).string(), loop.name, *number));
}

void refuse_attached_image(const Paths& paths, const DefineRequest& request)
{
    const auto image = file_id(request.image);
    if (!image)
        return;
    for (const Loop& loop : loops_of(paths, *image)) {
        refuse_running_array(paths, request, loop);
        throw Error(
            fmt::format("image '{}' is attached to /dev/{} already", request.image, loop.name),
            fmt::format("unmount it if it is mounted, then losetup -d /dev/{}", loop.name));
    }
}

void refuse_unstable_name(const Paths& paths, const std::string& image)
{
    if (!is_unstable_name(paths, image))
        return;
    auto names = stable_names(paths, image);
    names.resize(std::min<std::size_t>(names.size(), 4));
    throw Error(fmt::format("'{}' is the kernel's name for a device, which may be another one's "
                            "after the next boot",
                            image),
                names.empty() ? "give it a lasting name, by a udev rule or as a logical volume"
                              : fmt::format("give one of {}", fmt::join(names, ", ")));
}

/// QEMU has a device open without claiming it: the kernel does not tell.
void refuse_disk_of_domain(const Admin& admin, const DefineRequest& request)
{
    std::vector<LibvirtDisk> disks;
    try {
        disks = LibvirtConnection(admin.uri).disks();
    } catch (const std::exception&) {
        if (request.settings.libvirt)
            throw;
    }
    const auto device = device_name(admin.paths, request.image);
    for (const LibvirtDisk& disk : disks) {
        if (!disk.path.empty() && device_name(admin.paths, disk.path) == device)
            throw Error(
                fmt::format("device '{}' is a disk of domain '{}'", request.image, disk.domain),
                "take it out of the domain first, or give another device");
    }
}

/// A block device is taken only where nothing else can have it in use, now or after a boot.
void check_device(const Admin& admin, const DefineRequest& request)
{
    if (image_kind(request.image) != ImageKind::block)
        return;
    if (request.preallocate)
        throw UsageError("a block device has all its blocks", "leave out --preallocate");
    refuse_unstable_name(admin.paths, request.image);
    if (const auto use = use_of_device(admin.paths, request.image))
        throw Error(fmt::format("device '{}' cannot be an image: {}", request.image, use->what),
                    use->next);
    refuse_disk_of_domain(admin, request);
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
    taken.insert(request.avoided_numbers.begin(), request.avoided_numbers.end());
    for (int number = kFirstMdNumber; number <= kMaxMdNumber; ++number) {
        if (!taken.contains(number))
            return number;
    }
    throw Error("all md numbers from 100 to 511 are taken", "give a lower one with --md");
}

void refuse_device_with(const std::string& device, const std::string& what)
{
    throw Error(fmt::format("device '{}' holds something already: {}", device, what),
                fmt::format("look at it; if nobody needs it: wipefs --all '{0}' && dd if=/dev/zero "
                            "of='{0}' bs=1M count=2 (or blkdiscard --zeroout for all of it). "
                            "Nothing was changed",
                            device));
}

/// The UUID for a new definition: that of the array on the image if it is this pool's, else new.
Uuid choose_uuid(const DefineRequest& request, const ImageInfo& image)
{
    if (image.content == ImageContent::other && image.kind == ImageKind::block)
        refuse_device_with(request.image,
                           image.found.empty() ? "data without a signature" : image.found);
    if (image.content == ImageContent::other)
        throw Error(fmt::format("image '{}' holds something already", request.image),
                    "give an empty or a new file; nothing was changed");
    if (image.content != ImageContent::array)
        return Uuid::random();
    const auto superblock = read_superblock(request.image);
    if (!superblock || !is_of_pool(*superblock, request.name))
        throw Error(fmt::format("image '{}' holds the array '{}', which is not this pool's",
                                request.image, superblock ? superblock->name : "?"),
                    "define the pool under the name that it was made with, or give another image");
    return superblock->array_uuid;
}

/// An array that is there keeps the chunks that it was made with.
std::optional<std::uint64_t> choose_bitmap_chunk(const DefineRequest& request,
                                                 const ImageInfo& image)
{
    const auto superblock =
        image.content == ImageContent::array ? read_superblock(request.image) : std::nullopt;
    if (!superblock || !superblock->has_bitmap)
        return request.bitmap_chunk;
    const std::uint64_t chunk = read_bitmap(request.image).chunk;
    if (request.bitmap_chunk && *request.bitmap_chunk != chunk)
        throw Error(fmt::format("the array on image '{}' has a bitmap chunk of {}, not {}",
                                request.image, format_size(chunk),
                                format_size(*request.bitmap_chunk)),
                    "leave out --bitmap-chunk to take the array as it is");
    return chunk;
}

std::uint64_t choose_size(const DefineRequest& request, const ImageInfo& image)
{
    if (image.content == ImageContent::missing) {
        if (!request.size)
            throw UsageError(fmt::format("there is no image '{}' yet", request.image),
                             "give its --size, and it is made");
        return round_up(*request.size, kSectorSize);
    }
    check_size(image.size);
    if (image.size % kSectorSize != 0)
        throw Error(fmt::format("the size of image '{}', {} bytes, is no multiple of 4096",
                                request.image, image.size),
                    image.kind == ImageKind::block
                        ? "give a device whose size is one; a partition can be made so"
                        : fmt::format("truncate -s %4096 '{}' makes it one", request.image));
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

} // namespace

PoolDefinition choose_definition(const Admin& admin, const DefineRequest& request,
                                 const std::vector<StoredPool>& others, const Uuid& uuid,
                                 std::uint64_t size)
{
    PoolDefinition pool;
    pool.name = request.name;
    pool.uuid = uuid;
    pool.type = request.type;
    if (has_target(request.type))
        pool.target = real_target(request.target.value_or(default_target(request.name)));
    pool.image = request.image;
    pool.size = size;
    pool.md_number = choose_md_number(admin, others, request);
    pool.bitmap_chunk = request.bitmap_chunk.value_or(default_bitmap_chunk(pool.size));
    check_bitmap_chunk(pool.bitmap_chunk, pool.size);
    check_compressor(admin, request.name, request.settings.compressor);
    check_compressor(admin, request.name, request.settings.recompressor);
    pool.settings = request.settings;
    refuse_layout(admin, pool, others);
    return pool;
}

namespace {

PoolDefinition new_definition(const Admin& admin, const DefineRequest& request,
                              const std::vector<StoredPool>& others)
{
    for (const StoredPool& other : others) {
        if (other.definition)
            refuse_image_of(*other.definition, request);
    }
    refuse_attached_image(admin.paths, request);
    check_device(admin, request);
    const ImageInfo image = inspect_image(request.image);
    const Uuid uuid = choose_uuid(request, image);
    DefineRequest wanted = request;
    wanted.bitmap_chunk = choose_bitmap_chunk(request, image);
    PoolDefinition pool =
        choose_definition(admin, wanted, others, uuid, choose_size(request, image));
    pool.image_kind = image.kind;
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
    const auto kind = image_kind(request.image);
    if (pool.image != request.image || (kind && *kind != pool.image_kind))
        differs("image");
    if (request.size && round_up(*request.size, kSectorSize) != pool.size)
        differs("size");
    if (request.md_number && *request.md_number != pool.md_number)
        differs("md number");
    if (request.bitmap_chunk && *request.bitmap_chunk != pool.bitmap_chunk)
        differs("bitmap chunk");
    if (request.target && real_target(*request.target) != pool.target)
        differs("target");
    if (request.type != pool.type || request.settings != pool.settings)
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
    if (pool.settings.libvirt)
        refuse_foreign_pool(LibvirtConnection(admin.uri), pool);
    store.save(pool);
    rollback.add("remove the definition",
                 [&admin, pool] { PoolStore(admin.paths).remove(pool.name); });
    return pool;
}

void make_image(const PoolDefinition& pool, const DefineRequest& request, Rollback& rollback)
{
    const ImageInfo image = inspect_image(pool.image);
    if (pool.image_kind == ImageKind::block) {
        // What a define that was killed left there has no signature, or is the array.
        if (image.content == ImageContent::other && !image.found.empty())
            refuse_device_with(pool.image, image.found);
        if (image.content == ImageContent::empty)
            rollback.add("blank the device", [pool] { blank_image_ends(pool.image); });
    } else if (image.content == ImageContent::missing) {
        create_image(pool.image, pool.size, request.preallocate);
        rollback.add("remove the image", [pool] { ::unlink(pool.image.c_str()); });
    } else if (image.content == ImageContent::empty) {
        complete_image(pool.image, pool.size, request.preallocate);
        rollback.add("blank the image", [pool] {
            if (layout_traits(pool.type).fills_image)
                blank_image(pool.image);
            else
                blank_image_ends(pool.image);
        });
    }
}

void make_array(const Admin& admin, Mirror& mirror, const FileLock& lock,
                const PoolDefinition& pool, Rollback& rollback)
{
    const bool is_new = mirror.view().state() == PoolState::inactive;
    // Of an array that is up already a guest may have the whole: then the table is the guest's.
    if (!is_new && layout_traits(pool.type).may_be_guests)
        return;
    if (is_new) {
        // Undone behind the end of `mirror`, so with one of its own.
        rollback.add("stop the array",
                     [&admin, &lock, pool] { Mirror(admin.paths, pool, lock).stop(); });
        mirror.create();
    }
    const auto layout = layout_of(admin.paths, pool, lock.fd());
    in_context(fmt::format("make the pool's {}", layout->traits().what), [&] {
        layout->make();
        if (pool.settings.libvirt)
            layout->refuse_hidden();
    });
    mirror.assemble();
}

/// The folder that define made for it; one that the administrator chose is his.
void remove_target(const PoolDefinition& pool)
{
    if (has_target(pool.type) && pool.target == real_target(default_target(pool.name)))
        ::rmdir(pool.target.c_str());
}

} // namespace

PoolDefinition define_pool(const Admin& admin, const DefineRequest& asked)
{
    check_request(asked);
    DefineRequest request = asked;
    // A storage pool would take what the guest writes for its own.
    if (!layout_traits(request.type).has_volumes)
        request.settings.libvirt = false;
    // One definition at a time: names, images and md numbers are compared with those of all others.
    const FileLock all = lock_pool(admin.paths, ".define");
    const FileLock lock = lock_pool(admin.paths, request.name);
    Rollback rollback;
    const PoolDefinition pool = find_or_make_definition(admin, request, rollback);
    Mirror mirror(admin.paths, pool, lock);
    make_image(pool, request, rollback);
    make_array(admin, mirror, lock, pool, rollback);
    if (pool.settings.libvirt)
        register_pool(admin, LibvirtConnection(admin.uri), pool);
    if (pool.settings.attach == AttachPolicy::always)
        attach_if_possible(admin.paths, mirror, pool.name);
    rollback.keep();
    return pool;
}

void undefine_pool(const Admin& admin, const std::string& name, bool remove_image,
                   const std::function<void()>& refuse)
{
    const PoolStore store(admin.paths);
    store.raw_xml(name); // is there one?
    refuse_adopted(admin.paths, name);
    const auto dead = dead_claims(admin, name);
    const FileLock all = lock_pool(admin.paths, ".define");
    const FileLock lock = lock_pool(admin.paths, name);
    const PoolDefinition pool = store.load(name);
    if (remove_image && pool.image_kind == ImageKind::block)
        throw Error(
            fmt::format("its image '{}' is a block device, which is not removed", pool.image),
            fmt::format("zraid-pool undefine {} without --remove-image; then wipefs --all "
                        "'{}', or whatever ends the device (lvremove, rbd rm)",
                        name, pool.image));
    drop_claims(admin, name, dead);
    refuse_users(admin, name);
    Mirror mirror(admin.paths, pool, lock);
    if (refuse)
        refuse();
    mirror.refuse_use(); // as in stop_pool

    Rollback rollback;
    if (pool.settings.libvirt) {
        // Asked before anything is changed: without libvirt nothing of this is done.
        const LibvirtConnection libvirt(admin.uri);
        deactivate_pool(admin, libvirt, pool, rollback);
        mirror.stop();
        rollback.keep();
        unregister_pool(libvirt, pool);
    } else {
        mirror.stop();
    }
    if (remove_image && ::unlink(pool.image.c_str()) != 0 && errno != ENOENT)
        throw SystemError(errno, fmt::format("remove '{}'", pool.image));
    remove_target(pool);
    set_hold(admin.paths, name, Hold::none);
    store.remove(name);
}

} // namespace zraid
