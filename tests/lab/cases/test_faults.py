"""A leg is lost while the pool is in use: nothing else is, and the leg comes back."""

import os
from pathlib import Path

import records
import zlab
from pools import Pool, make_pool
from zlab import MIB, Lab, counters, sh, wait_for, wait_state, zraid


class FlakyDisk:
    """A small ext4 on a device that can be made to fail and to answer again."""

    def __init__(self, lab: Lab):
        self.folder = lab.dir / "flaky"
        backing = lab.dir / "flaky.raw"
        with open(backing, "wb") as file:
            file.truncate(400 * MIB)
        self.loop = sh(["losetup", "-f", "--show", backing]).out.strip()
        lab.defer(sh, ["losetup", "-d", self.loop])
        self.sectors = 400 * MIB // 512
        sh(["dmsetup", "create", "flaky", "--table", self._table("linear")])
        lab.defer(sh, ["dmsetup", "remove", "--retry", "flaky"])
        sh(["mkfs.ext4", "-q", "/dev/mapper/flaky"])
        self.folder.mkdir()
        self.mount()
        lab.defer(self.unmount)

    def _table(self, kind: str) -> str:
        return f"0 {self.sectors} error" if kind == "error" else f"0 {self.sectors} linear {self.loop} 0"

    def switch(self, kind: str) -> None:
        sh(["dmsetup", "suspend", "--nolockfs", "flaky"])
        sh(["dmsetup", "load", "flaky", "--table", self._table(kind)])
        sh(["dmsetup", "resume", "flaky"])

    def mount(self) -> None:
        sh(["mount", "/dev/mapper/flaky", self.folder])

    def unmount(self) -> None:
        sh(["umount", self.folder])

    def mend(self) -> None:
        """The device answers again, and its file system is made whole, as after any such fault."""
        self.switch("linear")
        self.unmount()
        code = sh(["e2fsck", "-fy", "/dev/mapper/flaky"], check=False).rc
        assert code in (0, 1), code      # 1: errors were corrected
        self.mount()


def write_pattern(device: str, at: int, size: int) -> bytes:
    """Random bytes, written past the page cache and flushed."""
    data = os.urandom(size)
    scratch = Path("/run/pattern")
    scratch.write_bytes(data)
    sh(["dd", f"if={scratch}", f"of={device}", "bs=1M", f"seek={at // MIB}", "oflag=direct",
        "conv=fsync,notrunc"])
    scratch.unlink()
    return data


def disk_leg(pool: Pool) -> dict:
    return pool.info()["disk"]


@zlab.options(timeout=240)
def test_the_disk_leg_goes_and_comes_back(lab: Lab) -> None:
    """The image's device fails under load: no error reaches the user of the array, the state is
    ram-only, nothing drops the RAM leg. Once the device is mended, repair copies only what was
    missed, and the image has every byte."""
    disk = FlakyDisk(lab)
    pool = make_pool(lab, "flaky", "256M", "--no-libvirt", image=disk.folder / "flaky.img")
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
        "would give the disk leg back, to copy what it missed"]
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
    data are in the image. repair gives the memory back."""
    pool = make_pool(lab, "full", "64M", "--no-libvirt", "--ram-limit", "4M")
    pool.attach_and_fill()
    data = write_pattern(pool.md, 16 * MIB, 12 * MIB)
    info = wait_state("full", "disk-only")
    assert info["ram"]["failed"] is True, info
    zraid("repair", "full")
    pool.assert_at_rest()
    assert zlab.zrams() == []
    assert zlab.image_bytes(pool.image, MIB + 16 * MIB, 12 * MIB) == data
