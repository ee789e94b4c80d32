#include "mirror/mirror.h"

#include "devices/device_use.h"
#include "devices/discard.h"
#include "devices/extents.h"
#include "devices/image.h"
#include "devices/md_members.h"
#include "devices/mdadm.h"
#include "devices/modules.h"
#include "devices/superblock.h"
#include "devices/zram.h"
#include "layout/layout.h"
#include "mirror/fill.h"
#include "mirror/ram_leg.h"
#include "mirror/verify.h"
#include "pools/pool_log.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/files.h"
#include "util/log.h"
#include "util/size.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

namespace zraid {

namespace {

/// How long md may take until it has tried a leg, or has put away what it did before.
constexpr Milliseconds kTried{5000};

/// KiB/s. md's own default, 200 MB/s, makes the fill of a fast image wait for nothing. The lower
/// limit, to which md goes down for a guest's requests, stays the host's.
///
/// safe_mode_delay stays md's as well. A pause costs two superblock writes with it, but these
/// writes are what notices that the disk leg is dead: md does not look at the result of a guest's
/// flush. zraid-monitor, which notices by itself, makes it longer.
constexpr const char* kSyncSpeedMax = "8388608";

/// Seconds; a chunk's bit is cleared when it was left alone for two of them. The write that sets it
/// again waits until the image's page cache is on the disk. md's own 5 s make a guest that writes
/// now here, now there wait for that all the time; what a longer one costs is that a disk leg that
/// failed and came back is given a minute's chunks more.
constexpr const char* kBitmapTimeBase = "60";

// The disk leg comes first: md takes the lowest slot for right where legs differ.
constexpr int kDiskSlot = 0;
constexpr int kRamSlot = 1;

std::filesystem::path problem_file(const Paths& paths, const std::string& pool)
{
    return paths.run / "problems" / (pool + ".txt");
}

} // namespace

void note_attach_problem(const Paths& paths, const std::string& pool, const std::string& text)
{
    try {
        const auto file = problem_file(paths, pool);
        if (text.empty()) {
            if (std::filesystem::exists(file))
                remove_durably(file);
            return;
        }
        make_folder(file.parent_path(), 0700);
        save_atomically(file, text + "\n", 0600);
    } catch (const std::exception& e) {
        log().info("pool '{}': {}", pool, explain(e)); // the log has it, that must do
    }
}

void attach_if_possible(const Paths& paths, Mirror& mirror, const std::string& pool)
{
    try {
        mirror.attach();
    } catch (const std::exception& e) {
        const std::string why = explain(e);
        log().warn("pool '{}' runs from its disk leg alone: {}", pool, why);
        note_attach_problem(paths, pool, why);
    }
}

std::string attach_problem(const Paths& paths, const std::string& pool)
{
    std::string text = read_if_there(problem_file(paths, pool)).value_or("");
    text.erase(text.find_last_not_of('\n') + 1);
    return text;
}

FileLock lock_pool(const Paths& paths, const std::string& pool, Milliseconds limit)
{
    return FileLock(paths.lock(pool), limit);
}

Mirror::Mirror(Paths paths, PoolDefinition pool, const FileLock& lock)
    : paths_(std::move(paths)), pool_(std::move(pool)), lock_fd_(lock.fd())
{
}

void Mirror::create()
{
    const PoolView now = view();
    if (now.image && read_superblock(pool_.image)) {
        check_image();
        reach(Goal::bare);
        return;
    }
    // The same checks as for assembly, with creation in the place of its last step.
    Plan steps = plan(now, Goal::bare);
    if (!steps.refusal.empty())
        throw Error(steps.refusal, steps.next);
    for (const Step step : steps.steps) {
        if (step != Step::assemble_array)
            take(step);
    }
    load_module_unless("raid1", paths_.sys / "module/raid1");
    in_context("create the array", [&] {
        Mdadm(paths_, lock_fd_)
            .create(pool_.md_number, pool_.uuid, pool_.array_name(), pool_.bitmap_chunk,
                    view().loops.at(0).name);
    });
    tune();
}

void Mirror::reach(Goal goal)
{
    const PoolLog fields(pool_);
    const PoolView now = view();
    remember_fault(now);
    const Plan steps = plan(now, goal);
    if (!steps.refusal.empty())
        throw Error(steps.refusal, steps.next);
    bool loop_is_new = false;
    for (const Step step : steps.steps) {
        try {
            in_context(to_string(step), [&] { take(step); });
        } catch (...) {
            if (loop_is_new)
                let_go_of_image();
            throw;
        }
        loop_is_new = loop_is_new || step == Step::attach_loop;
        log().info("pool '{}': done: {}", pool_.name, to_string(step));
    }
    if (goal != Goal::bare && goal != Goal::assembled && goal != Goal::repaired &&
        goal != Goal::grown)
        note_attach_problem(paths_, pool_.name, "");
    // Killed before the device was made: left alone, the record would one day fit somebody else's.
    if (!RamLegRecord::device_of(paths_, pool_.name))
        RamLegRecord::remove(paths_, pool_.name);
}

void Mirror::take(Step step)
{
    // Looked at again for each step that needs it: the one before has changed it.
    switch (step) {
    case Step::stop_stray_array:
        if (const auto stray = view().stray_array)
            stop_array(*stray);
        break;
    case Step::attach_loop:
        // Whatever the device's name leads to by now is not even opened for writing before it is
        // known for ours.
        if (pool_.image_kind == ImageKind::block && view().array)
            check_image();
        attach_loop(paths_, pool_.image, pool_.settings.writes == Writes::through);
        break;
    case Step::stop_array: {
        const PoolView now = view();
        stop_array(pool_.md_number);
        // Nothing leads from the image to this one, once the array is gone.
        if ((now.lost_its_device() || now.image_fault == ImageFault::unusable) && now.disk_loop)
            detach_loop(paths_, now.disk_loop->name, now.disk_loop->file);
        if (!now.ram && !now.stray_zram) // there is nothing left to compare with
            DoubtMark(paths_, pool_.name).clear();
        break;
    }
    case Step::assemble_array:
        assemble_array();
        break;
    case Step::bring_up_layout:
        layout_of(paths_, pool_, lock_fd_)->bring_up();
        break;
    case Step::take_down_layout:
        layout_of(paths_, pool_, lock_fd_)->take_down();
        break;
    case Step::drop_ram_leg:
        drop_ram_leg(view());
        break;
    case Step::refuse_use:
        refuse_use_of_array();
        break;
    case Step::discard_zram:
        if (const auto stray = view().stray_zram)
            discard_ram_leg(paths_, pool_.name, *stray);
        break;
    case Step::make_zram:
        DoubtMark(paths_, pool_.name).clear(); // what it was about is gone
        make_ram_leg(paths_, pool_);
        break;
    case Step::add_ram_leg:
        add_ram_leg(view().stray_zram.value());
        break;
    case Step::detach_loop: {
        const PoolView now = view();
        for (const Loop& loop : now.loops) {
            if (loop.fits_a_leg())
                detach_loop(paths_, loop.name, loop.file);
        }
        break;
    }
    case Step::grow_loop:
        update_loop_size(paths_, view().disk_loop.value().name);
        break;
    case Step::grow_array:
        grow_array();
        break;
    case Step::remove_disk_leg:
        remove_disk_leg(view());
        break;
    case Step::re_add_disk_leg:
        re_add_disk_leg(view());
        break;
    }
}

void Mirror::check_image() const
{
    const auto superblock = read_superblock(pool_.image);
    if (!superblock)
        throw Error(fmt::format("image '{}' holds no array", pool_.image),
                    "is it the right file? zraid-pool dumpxml shows the definition");
    if (superblock->array_uuid != pool_.uuid)
        throw Error(fmt::format("image '{}' holds another array, '{}' {}", pool_.image,
                                superblock->name, superblock->array_uuid.text()),
                    "correct the image's path in the definition");
    const std::uint64_t size = image_size(paths_, pool_.image);
    if (size < pool_.size)
        throw Error(fmt::format("image '{}' has {} bytes, not {}", pool_.image, size, pool_.size),
                    pool_.image_kind == ImageKind::block
                        ? "make the device as large as it was"
                        : "bring back the whole file; truncate -s makes it as long again, with "
                          "zeros where there was something");
}

/// A copy of an image has the same array on it.
void Mirror::refuse_second_array() const
{
    const auto has_our_superblock = [&](const MdMember& member) {
        try {
            const auto superblock = read_superblock(paths_.device(member.device));
            return superblock && superblock->array_uuid == pool_.uuid;
        } catch (const SystemError&) { // somebody else's dead disk is no reason not to start
            return false;
        }
    };
    const auto is_same = [&](const MdArray& array) {
        return array.uuid
                   ? *array.uuid == pool_.uuid
                   : std::any_of(array.members.begin(), array.members.end(), has_our_superblock);
    };
    for (const MdArray& other : read_all_md(paths_)) {
        if (other.number != pool_.md_number && is_same(other))
            throw Error(fmt::format("the same array is up already, as /dev/{}", other.name()),
                        "stop that one first: an image and its copy cannot be up at once");
    }
}

void Mirror::assemble_array() const
{
    check_image();
    refuse_second_array();
    load_module_unless("raid1", paths_.sys / "module/raid1");
    Mdadm(paths_, lock_fd_).assemble(pool_.md_number, pool_.uuid, view().loops.at(0).name);
    tune();
}

void Mirror::tune() const
{
    for (const auto& [attribute, value] :
         {std::pair{"sync_speed_max", kSyncSpeedMax}, {"bitmap/time_base", kBitmapTimeBase}}) {
        try {
            write_md(paths_, pool_.md_number, attribute, value);
        } catch (const std::exception& e) {
            log().warn("pool '{}': {} stays as md has it: {}", pool_.name, attribute, explain(e));
        }
    }
    if (const PoolView now = view(); now.disk)
        match_discard(now.disk->device);
}

/// Where the disk leg keeps what is discarded, the array offers no discards: zram would give it
/// back, and the legs would differ.
void Mirror::match_discard(const std::string& disk_leg) const
{
    try {
        if (can_discard(paths_, disk_leg, pool_.image))
            return;
    } catch (const std::exception& e) { // who cannot be asked is not trusted
        log().info("pool '{}': {}", pool_.name, explain(e));
    }
    try {
        // The RAM leg as well: md takes on what a leg that comes has.
        const PoolView now = view();
        for (const std::string& device :
             {now.ram ? now.ram->device : "", now.stray_zram.value_or(""),
              now.array ? now.array->name() : ""}) {
            if (!device.empty())
                forbid_discard(paths_, device);
        }
    } catch (const std::exception& e) {
        log().warn("pool '{}': its legs may differ where a guest discards: {}", pool_.name,
                   explain(e));
    }
}

/// Adds the fresh zram with a fill of only what the image holds.
/// @return bytes that md copies
std::uint64_t Mirror::add_sparse(const std::string& zram) const
{
    const std::uint64_t to_copy = prepare_sparse_fill(paths_, pool_, zram);
    re_add_member(paths_, pool_.md_number, zram, kRamSlot, false);
    return to_copy;
}

/// Adds a zram without a superblock: md copies all of the array to it.
void Mirror::add_whole(const std::string& zram) const
{
    try {
        Mdadm(paths_, lock_fd_).add(pool_.md_number, zram);
        RamLegRecord::note_fill(paths_, pool_.name, kFullFill);
    } catch (...) {
        // A zram that is no member would only take memory. What mdadm did all the same counts.
        if (view().stray_zram == zram)
            discard_ram_leg(paths_, pool_.name, zram);
        throw;
    }
}

void Mirror::add_ram_leg(const std::string& zram) const
{
    if (const PoolView now = view(); now.disk)
        match_discard(now.disk->device);
    // A block device does not tell what it holds.
    if (pool_.image_kind == ImageKind::block)
        return add_whole(zram);
    const auto is_member = [&] {
        const PoolView now = view();
        return now.ram && now.ram->device == zram && !now.ram->faulty;
    };
    try {
        const std::uint64_t to_copy = add_sparse(zram);
        RamLegRecord::note_fill(paths_, pool_.name, kSparseFill, to_copy);
        return;
    } catch (const std::exception& e) {
        if (is_member())
            return;
        log().info("pool '{}': the RAM leg is filled whole: {}", pool_.name, explain(e));
    }
    // A new device: with the superblock that the first one may have, mdadm would re-add it and copy
    // less than all.
    discard_ram_leg(paths_, pool_.name, zram);
    const std::string other = make_ram_leg(paths_, pool_);
    if (const PoolView now = view(); now.disk)
        match_discard(now.disk->device);
    add_whole(other);
}

void Mirror::grow_array() const
{
    await_end_of_recovery(paths_, pool_.md_number, kTried);
    Mdadm(paths_, lock_fd_).grow(pool_.md_number);
    const PoolView now = view();
    if (now.is_outgrown())
        throw Error(fmt::format("'{}' has {} bytes and not those of its image, {}",
                                pool_.md_device(), now.array ? now.array->size : 0, now.image_size),
                    "see the kernel's log");
}

/// The image is free again, unless an array has it by now.
void Mirror::let_go_of_image() const
{
    try {
        const PoolView now = view();
        for (const Loop& loop : now.loops) {
            if (loop.fits_a_leg() && !md_holding(paths_, loop.name))
                detach_loop(paths_, loop.name, loop.file);
        }
    } catch (const std::exception& e) {
        log().warn("pool '{}': its image stays attached: {}", pool_.name, explain(e));
    }
}

void Mirror::flush() const
{
    const std::string node = paths_.device(pool_.md_kernel_name());
    const UniqueFd fd = open_file(node, O_RDONLY);
    if (::fsync(fd.get()) != 0)
        throw SystemError(errno, "flush '" + node + "'");
}

/// The image has all that the array took, and nothing says otherwise; else the pool is in doubt.
/// md says nothing of an error that its flush of the image came to, so the leg is asked itself, and
/// an open file of ours that is from before the flush.
/// @throws Error
void Mirror::prove_image(const WriteErrors& errors, const PoolView& now) const
{
    std::string why;
    if (now.disk) {
        const UniqueFd leg = open_file(paths_.device(now.disk->device), O_RDONLY);
        if (::fsync(leg.get()) != 0)
            why = errno_text(errno);
    }
    // Of a file that was removed, or replaced, the leg has all; its name leads elsewhere.
    const bool named = errors.file() && now.disk_loop && *errors.file() == now.disk_loop->file;
    const bool lost =
        now.image_fault == ImageFault::gone || now.image_fault == ImageFault::replaced;
    if (const std::string found = named || !lost ? errors.flush() : ""; !found.empty())
        why = found;
    if (why.empty())
        return;
    DoubtMark(paths_, pool_.name).set(why);
    throw Error(
        fmt::format("the image's device refused data while it was flushed ({}): the RAM leg "
                    "holds the only good copy",
                    why),
        kMendDiskLeg);
}

/// Somebody may have cut a piece out of the image, without an error, and made it as long again.
/// What a guest wrote takes room in both legs, and what it discarded in none.
/// @throws Error
void Mirror::refuse_image_with_holes(const PoolView& now) const
{
    if (pool_.image_kind != ImageKind::file || now.image_fault != ImageFault::none || !now.ram)
        return;
    const auto ram = zram_statistics(paths_, now.ram->device);
    if (!ram || ram->data < ram->uniform)
        return;
    std::uint64_t image = now.data_offset(); // as much as md's own data in the RAM leg
    for (const Extent& extent : data_extents(pool_.image)) {
        if (extent.end > now.data_offset())
            image += extent.end - std::max(extent.begin, now.data_offset());
    }
    if (ram->data - ram->uniform <= image)
        return;
    const std::string why =
        fmt::format("the image holds {} of data, the RAM leg {}: a part of it was cut out",
                    format_size(image), format_size(ram->data - ram->uniform));
    DoubtMark(paths_, pool_.name).set(why);
    throw Error(why, "zraid-pool repair copies what it lacks back");
}

/// What is seen once counts until the legs were compared, whatever is done about it meanwhile.
void Mirror::remember_fault(const PoolView& now) const
{
    if (!now.array || !now.ram || now.in_doubt)
        return;
    if (const std::string why = fault_of_image(now); !why.empty())
        DoubtMark(paths_, pool_.name).set(why);
}

void Mirror::drop_ram_leg(const PoolView& now) const
{
    if (!now.ram)
        return;
    if (now.ram->faulty) {
        remove_member(paths_, pool_.md_number, now.ram->device);
        return;
    }
    const WriteErrors errors(paths_, pool_.image);
    flush();
    prove_image(errors, now);
    // Looked at again behind the flush, which may be what made the kernel notice a bad disk leg.
    const PoolView flushed = view();
    remember_fault(flushed);
    if (flushed.image_fault == ImageFault::too_short)
        throw Error("the image was truncated, the RAM leg holds the only good copy");
    if (!flushed.disk || !flushed.disk->in_sync)
        throw Error(
            "the disk leg failed while it was flushed: the RAM leg holds the only good copy",
            "bring the image's device back, then zraid-pool repair; keep the host running until "
            "then");
    refuse_image_with_holes(flushed);
    const DoubtMark doubt(paths_, pool_.name);
    if (doubt.id() != 0) // noted by the monitor meanwhile
        throw Error(fmt::format("the disk leg may lack data ({}): the RAM leg holds the only good "
                                "copy",
                                doubt.why()),
                    kMendDiskLeg);
    fail_member(paths_, pool_.md_number, now.ram->device);
    remove_member(paths_, pool_.md_number, now.ram->device);
    // What was flushed between the proof and this moment: while the memory is still there.
    prove_image(errors, view());
    if (doubt.id() != 0)
        throw Error(fmt::format("the disk leg may lack data ({}): /dev/{} is kept", doubt.why(),
                                now.ram->device),
                    kMendDiskLeg);
}

void Mirror::refuse_use() const
{
    const auto layout = layout_of(paths_, pool_);
    layout->refuse_use();
    if (layout->state() == LayoutState::none)
        refuse_use_of_device(paths_, pool_.md_kernel_name());
}

/// Behind the layout, which has the array open as long as it is up.
void Mirror::refuse_use_of_array() const
{
    try {
        refuse_use_of_device(paths_, pool_.md_kernel_name());
    } catch (...) {
        try {
            layout_of(paths_, pool_, lock_fd_)->bring_up();
        } catch (const std::exception& e) {
            log().warn("pool '{}': {}", pool_.name, explain(e));
        }
        throw;
    }
}

void Mirror::believe_image()
{
    DoubtMark(paths_, pool_.name).clear();
    detach();
}

/// md notices a lost device by the first write that fails. A guest that only reads would go on
/// without a disk leg for long, and nobody could tell.
void Mirror::fail_lost_leg(const PoolView& now) const
{
    if (now.state() != PoolState::mirrored)
        throw Error(fmt::format("its device is gone while it is {}", to_string(now.state())));
    if (now.image_fault != ImageFault::too_short && now.image_fault != ImageFault::unusable &&
        now.disk_loop) {
        bool answers = true;
        try {
            read_superblock(paths_.device(now.disk_loop->name));
        } catch (const SystemError&) {
            answers = false;
        }
        if (answers)
            throw Error(
                fmt::format("'{}' leads to another device or to none, but the one below /dev/{} "
                            "still answers",
                            pool_.image, now.disk_loop->name),
                fmt::format("give the device its name back; or, if another one is to take its "
                            "place, mdadm --fail {} /dev/{}, then zraid-pool repair",
                            pool_.md_device(), now.disk_loop->name));
    }
    fail_member(paths_, pool_.md_number, now.disk->device);
}

void Mirror::remove_disk_leg(const PoolView& now) const
{
    if (!now.disk)
        return;
    if (!now.disk->faulty) {
        if (!now.lost_its_device() && now.image_fault != ImageFault::unusable)
            return;
        fail_lost_leg(now);
    }
    remove_member(paths_, pool_.md_number, now.disk->device);
    if (now.disk_loop)
        detach_loop(paths_, now.disk_loop->name, now.disk_loop->file);
}

void Mirror::re_add_disk_leg(const PoolView& now) const
{
    // Another image here would be overwritten.
    check_image();
    if (now.loops.size() != 1 || !now.loops.front().fits_a_leg())
        throw Error("the image is not on one loop device of ours",
                    "see losetup -a, and detach what else uses it");
    const std::string& loop = now.loops.front().name;
    DoubtMark(paths_, pool_.name).set("it was out of the array");
    match_discard(loop);
    try {
        re_add_member(paths_, pool_.md_number, loop, kDiskSlot, true);
    } catch (...) {
        // The image's file system stays free to be unmounted and repaired.
        detach_loop(paths_, loop, now.loops.front().file);
        throw;
    }
    // md tries the leg by writing its superblock there, before it copies anything to it: when there
    // is a figure of what is copied, which is later than sync_action's "recover".
    PoolView seen;
    wait_until(kTried, [&] {
        seen = view();
        return !seen.disk || seen.disk->faulty || seen.disk->in_sync || !seen.array ||
               seen.array->sync_total > 0;
    });
    if (seen.disk && seen.disk->faulty) {
        remove_disk_leg(seen);
        throw Error("the disk leg failed again at once", kMendDiskLeg);
    }
}

void Mirror::let_go_of_failed_disk_leg()
{
    const PoolView now = view();
    if (now.disk && now.disk->faulty)
        in_context(to_string(Step::remove_disk_leg), [&] { remove_disk_leg(now); });
    else if (now.array && !now.disk)
        let_go_of_image();
}

void Mirror::copy_again(const std::vector<ChunkRange>& ranges)
{
    const PoolView now = view();
    if (now.state() != PoolState::mirrored)
        throw Error(fmt::format("it is {}", to_string(now.state())));
    in_context("take the disk leg out", [&] {
        fail_member(paths_, pool_.md_number, now.disk->device);
        remove_member(paths_, pool_.md_number, now.disk->device);
    });
    in_context("mark what it lacks", [&] { set_bitmap_bits(paths_, pool_.md_number, ranges); });
    in_context(to_string(Step::re_add_disk_leg), [&] { re_add_disk_leg(view()); });
}

void Mirror::stop_array(int number) const
{
    try {
        Mdadm(paths_, lock_fd_).stop(number);
    } catch (const std::exception& e) {
        // Told in the words of the one who has to find the opener.
        std::throw_with_nested(Error(fmt::format("stop /dev/md{}", number),
                                     fmt::format("close what uses it (lsblk /dev/md{0}, fuser -v "
                                                 "/dev/md{0}*), then try again",
                                                 number)));
    }
}

} // namespace zraid
