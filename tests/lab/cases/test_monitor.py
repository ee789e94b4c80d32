"""zraid-monitor: what nobody else does is done, without anybody asking."""

import mmap
import os
import random
import time
from pathlib import Path
from typing import Callable

import zlab
from toolbox import records
from toolbox.faults import FlakyDisk, write_pattern
from toolbox.monitoring import Monitor
from toolbox.pools import DEFINITIONS, HOOK, Watch, make_pool, prepare, release, sparse, with_uuid
from zlab import MIB, Domain, Lab, counters, sh, virsh, wait_for, wait_state, zraid


def said(words: str) -> bool:
    return any("zraid-monitor" in line and words in line for line in zlab.syslog().splitlines())


def once() -> zlab.Done:
    return sh(["zraid-monitor", "--once"], check=False)


@zlab.options(timeout=300)
def test_a_plugged_disk_gets_its_ram_leg(lab: Lab) -> None:
    """virsh attach-disk makes a running domain a user, detach-disk ends that; libvirt has no hook for
    either. The monitor hears of it again when libvirt's daemon was away, and finds out by itself what
    was done while it was not there."""
    pool = make_pool(lab, "plug", "64M")
    volume = pool.add_volume()
    domain = lab.use(Domain("plugged"))
    domain.start()
    monitor = Monitor(lab)

    def plug() -> None:
        # A disk of the SCSI bus: taking it out needs no guest that plays along.
        virsh("attach-disk", "plugged", volume, "sda", "--live", "--sourcetype", "block", "--targetbus", "scsi",
              "--driver", "qemu", "--subdriver", "raw", "--cache", "none")

    def unplug() -> None:
        virsh("detach-disk", "plugged", "sda", "--live")

    def is_attached() -> None:
        wait_for(lambda: pool.now()[:2] == ("mirrored", ["plugged"]), "the domain is a user", 60)

    def is_detached() -> None:
        wait_for(lambda: pool.now() == ("disk-only", [], ""), "no user, no RAM leg")
        wait_for(lambda: not Path("/run/zraid/ram/plug.json").exists(), "its memory is given back")
        pool.assert_at_rest()

    plug()
    is_attached()
    unplug()
    is_detached()
    zlab.kill_libvirtd()
    zlab.start_libvirtd()
    plug()
    is_attached()

    monitor.kill()
    unplug()
    monitor.start()
    is_detached()
    monitor.kill()
    plug()
    monitor.start()
    is_attached()
    assert zraid("stop", "plug", check=False).rc == 1
    domain.destroy()
    wait_for(lambda: pool.now() == ("disk-only", [], ""), "no user, no RAM leg")


@zlab.options(timeout=300)
def test_the_disk_leg_comes_back_by_itself(lab: Lab) -> None:
    """The image's device fails under a domain's pool and answers again: the disk leg is taken back,
    copied to, compared; the monitor may be killed meanwhile. The last domain is released while the
    disk leg is gone: the RAM leg stays until all of it is on the disk, and goes then."""
    disk = FlakyDisk(lab)
    pool = make_pool(lab, "back", "128M", "--no-libvirt", image=disk.folder / "back.img")
    partition = pool.add_partition()
    domain = with_uuid(Domain("user", [{"dev": partition}]))
    # libvirt does not know this domain; where it cannot be asked, a claim is believed.
    lab.defer(zlab.start_libvirtd)
    zlab.kill_libvirtd()
    monitor = Monitor(lab)
    assert prepare(domain).rc == 0
    pool.fill()
    old = write_pattern(pool.md, 16 * MIB, 8 * MIB)
    sh(["sync", "-f", disk.folder])

    disk.switch("error")
    writer = records.Writer(pool.md, range(16384, 16384 + 256), lab.share / "reported", 1)
    writer.start()
    # Of a write that the page cache took md hears when it clears its bitmap, a minute later.
    wait_state("back", "ram-only", 150)
    at_loss = writer.number
    wait_for(lambda: writer.error or writer.number > at_loss + 20, "records on the RAM leg alone")
    writer.stop()
    # In between, when the leg is tried again, md copies to it for a moment.
    wait_for(lambda: "memory only" in (pool.info()["trouble"] or ""), "info tells of the trouble")
    wait_for(lambda: "memory only" in zraid("list", quiet=True).out, "list tells of it too")
    wait_for(lambda: said("memory only"), "the warning in the log")
    new = write_pattern(pool.md, 96 * MIB, 8 * MIB)
    monitor.kill()

    done = release(domain)
    assert done.rc == 1 and "RAM leg stays up" in done.err, done
    assert pool.claimed_by() == []
    assert pool.info()["state"] == "ram-only"
    monitor.start()
    disk.mend()
    wait_for(lambda: zlab.zrams() == [], "the detach is finished", 90)
    info = pool.info()
    assert (info["state"], info["trouble"], info["disk"]["in_doubt"]) == ("disk-only", None, False)
    pool.assert_at_rest()
    wait_for(lambda: said("all is well again"), "the end of the trouble in the log")
    assert not records.lost(str(pool.image), lab.share / "reported", MIB)
    assert zlab.image_bytes(pool.image, MIB + 96 * MIB, 8 * MIB) == new
    assert zlab.image_bytes(pool.image, MIB + 16 * MIB, 8 * MIB) == old
    pool.attach_and_fill()
    zraid("scrub", "back")
    zraid("detach", "back")


@zlab.options(timeout=240)
def test_a_full_image_file_system(lab: Lab) -> None:
    """The image's file system is full: the guest goes on from RAM, and when there is room again the
    disk leg is back by itself, with only what it missed."""
    folder = lab.dir / "small"
    folder.mkdir()
    backing = lab.dir / "small.raw"
    with open(backing, "wb") as file:
        file.truncate(100 * MIB)
    sh(["mkfs.ext4", "-q", "-m", "0", backing])
    sh(["mount", "-o", "loop", backing, folder])
    lab.defer(sh, ["umount", folder])
    pool = make_pool(lab, "small", "256M", "--no-libvirt", image=folder / "small.img")
    pool.attach_and_fill()
    monitor = Monitor(lab)
    ballast = folder / "ballast"
    sh(["fallocate", "-l", str(70 * MIB), ballast])
    data = write_pattern(pool.md, 16 * MIB, 24 * MIB)
    wait_state("small", "ram-only")
    before = {path.name: counters(path.name).written_sectors
              for path in Path("/sys/block").glob("loop*")}
    ballast.unlink()
    loop = zlab.name_of(pool.wait_compared(90)["disk"]["device"])
    written = (counters(loop).written_sectors - before.get(loop, 0)) * 512
    zlab.say(f"{written >> 20} MiB written to the disk leg for 24 MiB missed, of 256")
    assert written < 48 * MIB, written
    zraid("scrub", "small")
    monitor.kill()
    zraid("detach", "small")
    assert zlab.image_bytes(pool.image, MIB + 16 * MIB, 24 * MIB) == data


@zlab.options(timeout=240)
def test_a_network_block_device(lab: Lab) -> None:
    """The server of the device that the image lies on is killed: the pool goes on from RAM. It is
    back, and its file system mounted: the disk leg is taken back at once, by itself."""
    folder = lab.dir / "net"
    folder.mkdir()
    disk = sparse(lab.dir / "net.raw", 300 * MIB)
    sh(["modprobe", "nbd"])

    def serve() -> None:
        # It goes into the background by itself.
        sh(["qemu-nbd", "--format=raw", "--connect=/dev/nbd0", disk])
        wait_for(lambda: zlab.sysfs("nbd0", "size") != "0", "/dev/nbd0 is connected")
    serve()
    lab.defer(lambda: sh(["qemu-nbd", "--disconnect", "/dev/nbd0"]))
    sh(["mkfs.ext4", "-q", "/dev/nbd0"])
    sh(["mount", "/dev/nbd0", folder])
    lab.defer(lambda: sh(["umount", folder], check=False))
    pool = make_pool(lab, "net", "128M", "--no-libvirt", image=folder / "net.img")
    pool.attach_and_fill()
    sh(["sync", "-f", folder])
    Monitor(lab)
    sh(["pkill", "-KILL", "-x", "qemu-nbd"])
    data = write_pattern(pool.md, 40 * MIB, 8 * MIB)
    wait_state("net", "ram-only")
    wait_for(lambda: sh(["umount", folder], check=False).rc == 0, "the file system is free")
    wait_for(lambda: zlab.sysfs("nbd0", "size") == "0", "/dev/nbd0 is disconnected")
    serve()
    sh(["e2fsck", "-fy", "/dev/nbd0"], check=False)
    sh(["mount", "/dev/nbd0", folder])
    pool.wait_compared()
    zraid("scrub", "net")
    zraid("detach", "net")
    assert zlab.image_bytes(pool.image, MIB + 40 * MIB, 8 * MIB) == data


def test_a_lost_ram_leg_is_made_anew(lab: Lab) -> None:
    """A RAM leg that was taken out by hand is attached again; one that the pool was not to have any
    more is not."""
    pool = make_pool(lab, "again", "64M", "--no-libvirt")
    monitor = Monitor(lab)
    pool.attach_and_fill()
    first = pool.now().ram
    zram = pool.info()["ram"]["device"]
    with monitor.paused():          # it would remove the failed leg first
        sh(["mdadm", pool.md, "--fail", zram, "--remove", zram])
    wait_for(lambda: pool.now().state == "mirrored" and pool.now().ram != first, "another RAM leg")
    zraid("scrub", "again")
    zraid("detach", "again")
    # The monitor looks when the lock is let go of; what it says of another pool tells that it did.
    other = make_pool(lab, "other", "64M", "--no-libvirt")
    other.attach_and_fill()
    zram = other.info()["ram"]["device"]
    with monitor.paused():
        sh(["mdadm", other.md, "--fail", zram, "--remove", zram])
    wait_for(lambda: other.now().state == "mirrored", "another RAM leg")
    pool.assert_at_rest()
    zraid("detach", "other")


def test_a_ram_leg_that_never_fits(lab: Lab) -> None:
    """The limit is reached: the memory is given back, the reason told, and nothing is tried again
    until there is more room for it."""
    pool = make_pool(lab, "fits", "64M", "--no-libvirt", "--ram-limit", "5M")
    pool.attach_and_fill()
    Monitor(lab)
    data = write_pattern(pool.md, 16 * MIB, 12 * MIB)
    wait_for(lambda: zlab.zrams() == [], "its memory is given back")
    info = pool.info()
    assert info["state"] == "disk-only" and "reached its limit of 5 MiB" in info["attach_problem"]
    # It stays like that beyond the first two waits, of 5 s and 10 s, of what is tried again.
    end = time.monotonic() + 16
    with Watch(lambda: " ".join(zlab.zrams()) or None) as watch:
        wait_for(lambda: time.monotonic() > end, "sixteen seconds")
    assert watch.asked > 100 and not watch.answers, watch.answers
    definition = DEFINITIONS / "fits.xml"
    definition.write_text(definition.read_text().replace(str(5 * MIB), str(48 * MIB)))
    wait_state("fits", "mirrored")
    zraid("scrub", "fits")
    zraid("detach", "fits")
    assert zlab.image_bytes(pool.image, MIB + 16 * MIB, 12 * MIB) == data


def test_what_was_interrupted_is_finished(lab: Lab) -> None:
    """A claim whose domain is gone is dropped; a hook killed in the middle of a release leaves a RAM
    leg, which is detached; one that was attached by hand stays."""
    pool = make_pool(lab, "rest", "64M", "--no-libvirt")
    partition = pool.add_partition()
    domain = with_uuid(Domain("gone", [{"dev": partition}]))
    # libvirt does not know this domain.
    assert prepare(domain).rc == 0
    pool.fill()
    done = once()
    assert done.rc == 0 and "detach the RAM leg" in done.out, done
    pool.assert_at_rest()

    assert prepare(domain).rc == 0
    pool.fill()
    done = sh(["strace", "-f", "-o", "/dev/null", "-e", "trace=unlink", "-e",
               "inject=unlink:signal=KILL:when=2", HOOK, "gone", "release", "end", "-"],
              input=domain.xml(), check=False)
    if done.rc != -9:       # it has no second file to remove before the RAM leg goes
        pool.assert_at_rest()
    once()
    pool.assert_at_rest()

    pool.attach_and_fill()
    assert once().out == ""
    assert pool.now().state == "mirrored"
    zraid("detach", "rest")
    assert once().out == ""
    pool.assert_at_rest()


@zlab.options(timeout=240, slow_iops=200)
def test_unflushed_writes_do_not_wait_for_the_disk(lab: Lab) -> None:
    """On a disk of 200 requests a second a guest writes here and there, pauses, and writes again: but
    for the first write to a chunk, neither md's bitmap nor its superblock makes it wait for the
    image. That is so while the monitor watches it; an end in order gives md's own habit back."""
    folder = Path("/srv/slow")
    folder.mkdir()
    lab.defer(folder.rmdir)
    sh(["mkfs.xfs", "-q", "-f", "/dev/vdb"])
    sh(["mount", "/dev/vdb", folder])
    lab.defer(sh, ["umount", folder])
    pool = make_pool(lab, "calm", "256M", "--no-libvirt", image=folder / "calm.img")
    write_pattern(pool.md, 16 * MIB, 128 * MIB)
    pool.attach_and_fill()
    sh(["sync", "-f", folder])
    delay = Path("/sys/block") / zlab.name_of(pool.md) / "md/safe_mode_delay"
    usual = delay.read_text()
    assert usual.startswith("0.2"), usual
    monitor = Monitor(lab)
    wait_for(lambda: delay.read_text().strip() == "10.000", "the monitor watches the image")

    writer = os.open(pool.md, os.O_WRONLY | os.O_DIRECT)
    lab.defer(os.close, writer)
    page = mmap.mmap(-1, 4096)
    page.write(os.urandom(4096))

    def took(action: Callable[[], object]) -> float:
        begun = time.monotonic()
        action()
        return time.monotonic() - begun

    def write() -> None:
        os.pwrite(writer, page, 16 * MIB + random.randrange(128 * MIB // 4096) * 4096)

    # The first write to each chunk of the bitmap does wait, until the bit is on the disk.
    chunks = took(lambda: [os.pwrite(writer, page, at) for at in range(16 * MIB, 144 * MIB, 16 * MIB)])
    os.fsync(writer)
    slowest = max(took(write) for _ in range(600))
    time.sleep(0.5)     # the pause is what is tested
    first = took(write)
    flush = took(lambda: os.fsync(writer))
    print(f"8 chunks {chunks:.2f} s, the slowest of 600 writes {slowest:.3f} s, one after a pause "
          f"{first:.3f} s, a flush {flush:.2f} s")
    assert flush > 1, "the disk is too fast for this test"
    assert slowest < 0.5 and first < 0.5, (slowest, first)
    # A chunk that was left alone has its bit cleared after two of these, behind a flush.
    assert zlab.sysfs(pool.md, "md/bitmap/time_base") == "60"

    monitor.process.terminate()
    assert monitor.process.wait(timeout=20) == 0
    assert delay.read_text() == usual
