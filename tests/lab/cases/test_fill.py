"""The fill of a RAM leg: only what the image holds, at nobody's expense."""

import mmap
import os
import time
from pathlib import Path

import zlab
from toolbox.faults import write_pattern
from toolbox.monitoring import Monitor
from toolbox.pools import get, make_pool
from zlab import MIB, Domain, Lab, counters, sh, wait_for, zraid


def cached(image: Path) -> int:
    """Bytes of a file that the page cache holds."""
    return int(sh(["fincore", "--bytes", "--noheadings", "--output", "RES", image], quiet=True).out)


def page(byte: int) -> mmap.mmap:
    """A page of memory, which direct I/O can take."""
    memory = mmap.mmap(-1, 4096)
    memory.write(bytes([byte]) * 4096)
    return memory


def limit_speed(md: str, kib_per_second: int) -> None:
    folder = Path("/sys/block") / zlab.name_of(md) / "md"
    for bound in ("sync_speed_min", "sync_speed_max"):
        (folder / bound).write_text(str(kib_per_second))


@zlab.options(timeout=240)
def test_remaining_time(lab: Lab) -> None:
    """An image with data at both ends of 2 GiB: what is left is counted in bytes of data, and the
    time that info, list and JSON tell is the time that it takes."""
    pool = make_pool(lab, "honest", "2G", "--no-libvirt", "--ram-limit", "256M", "--bitmap-chunk", "4M")
    data = write_pattern(pool.md, 16 * MIB, 24 * MIB)
    write_pattern(pool.md, 1984 * MIB, 48 * MIB)
    limit_speed(pool.md, 4000)          # 18 s for both
    zraid("attach", "honest")
    # md's speed is that of the last seconds: it has to have copied for some.
    wait_for(lambda: pool.info()["fill_percent"] > 20, "a part of it is filled", 60)
    info, seen = pool.info(), time.monotonic()
    assert info["ram"]["fill"] == "sparse", info
    # Whole chunks of 4 MiB, and those with the partition table and its copy.
    assert 40 * MIB < info["fill_left_bytes"] < 70 * MIB, info
    foretold = info["fill_seconds_left"]
    assert " s left" in zraid("info", "honest").out
    assert " s)" in zraid("list").out
    pool.fill()
    took = time.monotonic() - seen
    print(f"foretold {foretold} s, took {took:.1f} s")
    assert foretold * 0.5 - 2 < took < foretold * 1.5 + 3, (foretold, took)
    info = pool.info()
    assert info["fill_percent"] is info["fill_left_bytes"] is info["fill_seconds_left"] is None
    assert get(pool.md, 16 * MIB, 24 * MIB) == data
    limit_speed(pool.md, 8388608)
    assert pool.mismatches(180) == 0


@zlab.options(timeout=300)
def test_page_cache(lab: Lab) -> None:
    """A fill and a scrub read the whole image. Without zraid-monitor it stays in the page cache; with
    it, next to nothing of it does, and what was cached of other files is still there."""
    pool = make_pool(lab, "cache", "512M", "--no-libvirt")
    bystander = lab.dir / "bystander"
    bystander.write_bytes(os.urandom(16 * MIB))
    size = 384 * MIB
    write_pattern(pool.md, 16 * MIB, size)
    sh(["sync"])
    zlab.drop_caches()
    bystander.read_bytes()
    pool.attach_and_fill()
    without = cached(pool.image)
    zraid("detach", "cache")

    Monitor(lab)
    zlab.drop_caches()
    bystander.read_bytes()
    assert cached(pool.image) < 16 * MIB, "this test would show nothing"
    pool.attach_and_fill()
    wait_for(lambda: cached(pool.image) < 16 * MIB, "the image leaves the page cache", 30)
    filled = cached(pool.image)
    zraid("scrub", "cache")
    wait_for(lambda: cached(pool.image) < 16 * MIB, "the image leaves the page cache", 30)
    print(f"cached after a fill of {size >> 20} MiB: {without >> 20} MiB without the monitor, "
          f"{filled >> 20} MiB with it, {cached(pool.image) >> 20} MiB after a scrub")
    assert without > size * 3 // 4, without
    assert cached(bystander) == 16 * MIB


@zlab.options(timeout=240)
def test_writes_through(lab: Lab) -> None:
    """--writes through: a write is on the image's device when it returns, without any flush; cached:
    it is not. Both say so, and a flush brings it there either way."""
    for writes in ("cached", "through"):
        pool = make_pool(lab, writes, "64M", "--no-libvirt", "--writes", writes)
        info = pool.info()
        assert (info["writes"], info["disk"]["direct_io"]) == (writes, writes == "through"), info
        assert f"Writes:      {writes}" in zraid("info", writes).out
        pool.attach_and_fill()
        # md flushes when it takes a pause for the end of the writes.
        (Path("/sys/block") / zlab.name_of(pool.md) / "md/safe_mode_delay").write_text("600")
        fd = os.open(pool.md, os.O_WRONLY | os.O_DIRECT)
        os.pwrite(fd, page(0x11), 20 * MIB)     # md marks the chunk, with a flush; then there is none
        before = counters("vda").written_sectors
        for number in range(64):
            os.pwrite(fd, page(number + 1), 20 * MIB + 4096 * number)
        written = counters("vda").written_sectors - before
        os.close(fd)
        print(f"{writes}: {written} sectors written to the image's device for 512 without a flush")
        assert (written >= 512) == (writes == "through"), written
        assert pool.mismatches() == 0
        zraid("stop", writes)
        zraid("start", writes)
        assert pool.info()["disk"]["direct_io"] == (writes == "through")


@zlab.options(timeout=240)
def test_discard_gives_memory_back(lab: Lab) -> None:
    """What a guest discards, as fstrim in it does, is neither in the RAM leg nor in the image any
    more."""
    pool = make_pool(lab, "trim", "512M")
    partition = pool.add_volume("400M")
    domain = lab.use(Domain("trimmer", [{"pool": "trim", "volume": zlab.name_of(partition)}]))
    domain.start()
    pool.fill()
    size = 128 * MIB
    for offset in range(0, size, 16 * MIB):
        domain.qemu_io(f"write -s /dev/urandom {offset} {16 * MIB}")
    domain.flush()

    def taken() -> tuple:
        sh(["sync", "-f", pool.image], quiet=True)
        return pool.info()["ram"]["stored_bytes"], pool.image.stat().st_blocks * 512

    ram, disk = taken()
    assert ram > size * 0.9 and disk > size * 0.9, (ram, disk)
    domain.qemu_io(f"discard 0 {size}")
    wait_for(lambda: taken()[0] < ram - size * 0.9, "the RAM leg gives memory back")
    wait_for(lambda: taken()[1] < disk - size * 0.9, "the image gives space back")
    print("RAM leg and image, bytes, before and after:", (ram, disk), taken())
    domain.destroy()
    zraid("attach", "trim")
    pool.fill()
    assert pool.mismatches() == 0


def test_recompress_needs_a_newer_kernel(lab: Lab) -> None:
    """Where the kernel's zram cannot recompress, recompress says so, and the pool works as ever; where
    it can, it gives memory back."""
    pool = make_pool(lab, "strong", "64M", "--no-libvirt", "--compressor", "lzo", "--recompressor", "zstd")
    write_pattern(pool.md, 16 * MIB, 16 * MIB)
    pool.attach_and_fill()
    leg = zlab.name_of(pool.info()["ram"]["device"])
    done = zraid("recompress", "strong", "--all", check=False)
    if (Path("/sys/block") / leg / "recomp_algorithm").exists():
        assert done.rc == 0, done
    else:
        assert done.rc == 1 and "Linux 6.2" in done.err, done
    assert pool.mismatches() == 0
