"""A leg is lost while the pool is in use: nothing else is, and the leg comes back."""

import ctypes
import mmap
import os
import threading
import time
from pathlib import Path

import zlab
from toolbox import records
from toolbox.faults import FlakyDisk, write_pattern
from toolbox.monitoring import Monitor
from toolbox.pools import Pool, make_pool
from zlab import MIB, Lab, counters, sh, wait_for, wait_state, zraid


def disk_leg(pool: Pool) -> dict:
    return pool.info()["disk"]


@zlab.options(timeout=240)
def test_the_disk_leg_goes_and_comes_back(lab: Lab) -> None:
    """The image's device fails under load: no error reaches the user of the array, the state is
    ram-only, nothing drops the RAM leg. Once the device is mended, repair copies only what was
    missed, and the image has every byte."""
    disk = FlakyDisk(lab)
    pool = make_pool(lab, "flaky", "256M", "--no-libvirt", "--bitmap-chunk", "4M", image=disk.folder / "flaky.img")
    old = write_pattern(pool.md, 16 * MIB, 64 * MIB)
    pool.attach_and_fill()
    sh(["sync", "-f", disk.folder])

    disk.switch("error")
    writer = records.Writer(pool.md, range(32768, 32768 + 256), lab.share / "reported", 1)
    writer.start()
    wait_state("flaky", "ram-only")
    at_loss = writer.number
    wait_for(lambda: writer.error or writer.number > at_loss + 20, "records on the RAM leg alone")
    writer.stop()
    assert disk_leg(pool)["failed"] is True
    new = write_pattern(pool.md, 200 * MIB, 8 * MIB)

    # The RAM leg holds the only good copy: every way to lose it is refused.
    for command in (["detach", "flaky"], ["stop", "flaky"], ["undefine", "flaky"]):
        done = zraid(*command, check=False)
        assert done.rc == 1 and "only good copy" in done.err, done
    assert zraid("repair", "flaky", "--dry-run").out.splitlines() == [
        "would take the failed disk leg out", "would attach the image to a loop device",
        "would give the disk leg back, to copy what it missed",
        "would compare the disk leg with the RAM leg, once md has copied to it"]
    assert pool.info()["state"] == "ram-only"

    # While the device still fails, repair says so, and the image's file system is free.
    assert zraid("repair", "flaky", check=False).rc == 1
    assert pool.info()["state"] == "ram-only"
    disk.mend()
    # A loop device's counters go on from whatever it was attached to before.
    before = {path.name: counters(path.name).written_sectors
              for path in Path("/sys/block").glob("loop*")}
    zraid("repair", "flaky")
    loop = zlab.name_of(wait_state("flaky", "mirrored")["disk"]["device"])
    written = (counters(loop).written_sectors - before.get(loop, 0)) * 512
    zlab.say(f"{written >> 20} MiB written to the disk leg for 9 MiB missed, of 256")
    # The 8 MiB, the 1 MiB of records, chunks of 4 MiB: no more than 5 chunks and some metadata.
    assert 9 * MIB <= written < 32 * MIB, written
    flags = zlab.read(f"/sys/block/{zlab.name_of(pool.md)}/md/dev-{zlab.name_of(loop)}/state")
    assert "write_mostly" in flags, flags
    zraid("scrub", "flaky")

    zraid("detach", "flaky")
    assert not records.lost(str(pool.image), lab.share / "reported", MIB)
    assert zlab.image_bytes(pool.image, MIB + 200 * MIB, 8 * MIB) == new
    assert zlab.image_bytes(pool.image, MIB + 16 * MIB, 64 * MIB) == old


@zlab.options(timeout=240)
def test_the_disk_leg_fails_while_it_is_copied_to(lab: Lab) -> None:
    """The image's device answers again, but refuses some of what it missed: repair fails, and the
    file system of the image is free to be mended, also where md failed the leg behind its re-add."""
    disk = FlakyDisk(lab)
    pool = make_pool(lab, "again", "64M", "--no-libvirt", "--writes", "through",
                     image=disk.folder / "again.img")
    size = 4 * MIB
    write_pattern(pool.md, 32 * MIB, size)
    pool.attach_and_fill()
    sh(["sync", "-f", disk.folder])
    disk.switch("error")
    data = write_pattern(pool.md, 32 * MIB, size)
    wait_state("again", "ram-only")
    assert zraid("repair", "again", check=False).rc == 1
    disk.mend()

    disk.fail_below(pool.image, MIB + 32 * MIB, size)
    done = zraid("repair", "again", check=False)
    assert done.rc == 1 and "disk leg failed" in done.err and "keep the host running" in done.err, done
    assert wait_state("again", "ram-only")["disk"] is None
    disk.mend()
    zraid("repair", "again")
    wait_state("again", "mirrored")
    zraid("scrub", "again")
    zraid("detach", "again")
    assert zlab.image_bytes(pool.image, MIB + 32 * MIB, size) == data


class Trickle(threading.Thread):
    """Small writes without a flush, one behind the other: md has no quiet moment in which it would
    write its superblock, which flushes the image."""

    def __init__(self, device: str):
        super().__init__(daemon=True)
        self._device = os.open(device, os.O_WRONLY | os.O_DIRECT)
        self._ending = threading.Event()

    def run(self) -> None:
        page = mmap.mmap(-1, 4096)
        while not self._ending.wait(0.02):
            os.pwritev(self._device, [page], MIB)

    def __enter__(self) -> "Trickle":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self.join()
        os.close(self._device)


def wait_quiet(device: str, seconds: float) -> None:
    """Wait until the device was not flushed for so long."""
    last, since = "", time.monotonic()

    def quiet() -> bool:
        nonlocal last, since
        flushes = zlab.sysfs(device, "stat").split()[15]
        if flushes != last:
            last, since = flushes, time.monotonic()
        return time.monotonic() - since > seconds
    wait_for(quiet, f"{device} is not flushed")


@zlab.options(timeout=300)
def test_what_the_page_cache_lost(lab: Lab) -> None:
    """Data that the host's page cache had taken, and that md had cleared from its bitmap, never
    reached the device: repair finds and copies them though md knows nothing of them, and until then
    the RAM leg is kept."""
    disk = FlakyDisk(lab)
    pool = make_pool(lab, "cached", "128M", "--no-libvirt", image=disk.folder / "cached.img")
    period = 3
    md = Path("/sys/block") / zlab.name_of(pool.md) / "md"
    (md / "bitmap/time_base").write_text(str(period))
    (md / "safe_mode_delay").write_text("600")      # a pause of the trickle is no end of the writes
    write_pattern(pool.md, 16 * MIB, 8 * MIB)
    scratch = Path("/run/cached")
    lab.defer(scratch.unlink)
    pool.attach_and_fill()
    for attempt in range(4):
        data = os.urandom(8 * MIB)
        scratch.write_bytes(data)
        sh(["sync", "-f", disk.folder])
        with Trickle(pool.md):
            # md looks at its bitmap once in a period. The second time after a write it clears the
            # bit in memory and then writes the bitmap, behind a flush, which is the first one that
            # tells of the error.
            wait_quiet(disk_leg(pool)["device"], 2 * period)
            sh(["dd", f"if={scratch}", f"of={pool.md}", "bs=1M", "seek=40", "oflag=direct",
                "conv=notrunc"])
            disk.switch("error")
            wait_state("cached", "ram-only")
        assert zraid("repair", "cached", check=False).rc == 1      # which frees the file system
        disk.mend()
        name = zlab.name_of(pool.md)
        loop = sh(["losetup", "-f", "--show", "-b", "4096", pool.image]).out.strip()
        sh(["mdadm", pool.md, "--re-add", loop])
        wait_for(lambda: zlab.sysfs(name, "md/degraded") == "0", "the disk leg is in sync for md")
        hit = pool.mismatches() > 0
        # Taken out again, so that zraid does what mdadm alone did.
        sh(["mdadm", pool.md, "--fail", loop, "--remove", loop])
        sh(["losetup", "-d", loop])
        printed = zraid("repair", "cached").out
        assert hit == ("had missed" in printed), printed
        assert wait_state("cached", "mirrored")["disk"]["in_doubt"] is False
        if hit:
            break
    assert hit, "the fault never hit"
    zraid("scrub", "cached")
    zraid("detach", "cached")
    assert zlab.image_bytes(pool.image, MIB + 40 * MIB, 8 * MIB) == data


def overwrite(pool: Pool, data: bytes, flush: bool) -> None:
    """A guest's write that the page cache takes, and its flush."""
    fd = os.open(pool.md, os.O_WRONLY)
    os.pwrite(fd, data, 40 * MIB)
    # From the array's own cache to the legs, without a flush.
    assert ctypes.CDLL(None, use_errno=True).sync_file_range(
        fd, ctypes.c_int64(40 * MIB), ctypes.c_int64(len(data)), 7) == 0
    if flush:
        os.fsync(fd)            # md says that all is well
    os.close(fd)


@zlab.options(timeout=300)
def test_a_flush_error_that_md_ignores(lab: Lab) -> None:
    """The image's device refuses a few sectors, the flush of the image fails, and md does not look:
    detach and stop, which flush before they drop the RAM leg, notice and keep it; of a guest's flush
    zraid-monitor does. Both times the data reaches the image as soon as the device takes it."""
    disk = FlakyDisk(lab)
    pool = make_pool(lab, "silent", "128M", "--no-libvirt", image=disk.folder / "silent.img")
    # As under a guest that never pauses: md writes nothing of its own, which would notice.
    md = Path("/sys/block") / zlab.name_of(pool.md) / "md"
    for name in ("safe_mode_delay", "bitmap/time_base"):
        (md / name).write_text("600")
    size = 4 * MIB
    write_pattern(pool.md, 40 * MIB, size)
    pool.attach_and_fill()
    sh(["sync", "-f", disk.folder])

    data = os.urandom(size)
    disk.fail_below(pool.image, MIB + 40 * MIB, size)
    overwrite(pool, data, flush=False)
    for command, words in (("detach", "only good copy"), ("stop", "may lack data")):
        done = zraid(command, "silent", check=False)
        assert done.rc == 1 and words in done.err, done
        info = pool.info()
        assert info["ram"]["in_sync"] and info["disk"]["in_doubt"], info
    disk.switch("linear")
    zlab.drop_caches()
    assert zlab.image_bytes(pool.image, MIB + 40 * MIB, size) != data, "the fault never hit"
    assert "had missed" in zraid("repair", "silent").out
    zraid("scrub", "silent")
    zraid("detach", "silent")
    zlab.drop_caches()
    assert zlab.image_bytes(pool.image, MIB + 40 * MIB, size) == data

    pool.attach_and_fill()
    Monitor(lab)
    wait_for(lambda: zlab.open_by("zraid-monitor", pool.image), "the monitor looks at the image")
    data = os.urandom(size)
    disk.fail_below(pool.image, MIB + 40 * MIB, size)
    overwrite(pool, data, flush=True)
    wait_for(lambda: "refused data that the page cache held" in zlab.syslog(), "the monitor notices")
    assert pool.info()["state"] in ("mirrored", "ram-only")
    disk.switch("linear")
    pool.wait_compared(90)
    zraid("scrub", "silent")
    zraid("detach", "silent")
    zlab.drop_caches()
    assert zlab.image_bytes(pool.image, MIB + 40 * MIB, size) == data


@zlab.options(timeout=240)
def test_a_newer_ram_leg_is_kept(lab: Lab) -> None:
    """The disk leg fails, and an administrator stops the array by hand: start, attach, stop and
    undefine refuse to go on from the old image while the zram has what is newer; started from the
    zram by hand, the array is repaired."""
    disk = FlakyDisk(lab)
    pool = make_pool(lab, "newer", "64M", "--no-libvirt", image=disk.folder / "newer.img")
    pool.attach_and_fill()
    zram = pool.info()["ram"]["device"]
    disk.switch("error")
    new = write_pattern(pool.md, 32 * MIB, 2 * MIB)
    wait_state("newer", "ram-only")
    loop = disk_leg(pool)["device"]
    sh(["mdadm", "--stop", pool.md])
    sh(["losetup", "-d", loop])
    disk.mend()

    for command in ("start", "attach", "detach", "stop", "undefine"):
        done = zraid(command, "newer", check=False)
        assert done.rc == 1, (command, done)
        assert "only good copy" in done.err or "not there" in done.err, (command, done)
    assert zlab.zrams() == [zlab.name_of(zram)]
    sh(["mdadm", "--assemble", "--run", pool.md, zram])
    assert pool.info()["state"] == "ram-only"
    zraid("repair", "newer")
    wait_state("newer", "mirrored")
    zraid("scrub", "newer")
    zraid("detach", "newer")
    assert zlab.image_bytes(pool.image, MIB + 32 * MIB, 2 * MIB) == new


def test_the_ram_leg_is_full(lab: Lab) -> None:
    """mem_limit is reached under a writer: it sees no error, md drops the RAM leg at once, and the
    data are in the image. detach gives the memory back."""
    pool = make_pool(lab, "full", "64M", "--no-libvirt", "--ram-limit", "4M")
    pool.attach_and_fill()
    data = write_pattern(pool.md, 16 * MIB, 12 * MIB)
    info = wait_state("full", "disk-only")
    assert info["ram"]["failed"] is True, info
    zraid("detach", "full")
    pool.assert_at_rest()
    assert zlab.zrams() == []
    assert zlab.image_bytes(pool.image, MIB + 16 * MIB, 12 * MIB) == data
