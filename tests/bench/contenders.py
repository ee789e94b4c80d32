"""What holds a disk's content in memory: zraid, and what a user would take instead.

Each contender is given the same content on the same disk and says what to read and write, and how.
Runs inside the lab.
"""

import contextlib
import mmap
import os
import subprocess
from pathlib import Path
from typing import Dict, Iterator, List

import zlab
from zlab import MIB, sh, wait_for, zraid


def quiet(*words: object, check: bool = True) -> str:
    return sh([str(word) for word in words], check=check, quiet=True, timeout=900).out.strip()


def memory_of_zram(name: str) -> int:
    """Bytes: data as it is stored, and the table of pages (24 bytes each, as zraid counts it)."""
    stored = int(zlab.sysfs(name, "mm_stat").split()[2])
    return stored + int(zlab.sysfs(name, "disksize")) // 4096 * 24


class Contender:
    name = ""
    direct = True               # past the host's page cache, as a guest with cache=none does it
    writable = True

    def __init__(self, folder: Path, content: Path):
        self.folder, self.content = folder, content
        self.size = content.stat().st_size
        self.target = Path()

    def set_up(self) -> None:
        raise NotImplementedError

    def memory(self) -> int:
        """Bytes of memory that it takes for the content; 0: none of its own."""
        return 0

    def take_down(self) -> None:
        pass

    @contextlib.contextmanager
    def mounted(self) -> Iterator[Path]:
        """The content's file system."""
        at = Path("/run/bench")
        at.mkdir(exist_ok=True)
        with contextlib.ExitStack() as stack:
            device = str(self.target)
            if self.target.is_file():
                with zlab.udev_paused():
                    device = quiet("losetup", "--find", "--show", "--sector-size", 4096,
                                   f"--direct-io={'on' if self.direct else 'off'}", self.target)
                stack.callback(quiet, "losetup", "--detach", device)
            quiet("mount", "-t", "ext4", device, at)
            stack.callback(quiet, "umount", at)
            yield at

    def copy_to(self, place: Path) -> Path:
        quiet("cp", "--sparse=always", self.content, place)
        quiet("sync", place)
        return place


class Raw(Contender):
    name = "raw image, cache=none"

    def set_up(self) -> None:
        self.target = self.copy_to(self.folder / "raw.img")


class PageCache(Contender):
    name = "raw image, page cache"
    direct = False

    def set_up(self) -> None:
        self.target = self.copy_to(self.folder / "cached.img")
        self.warm_up()

    def warm_up(self) -> None:
        quiet("dd", f"if={self.target}", "of=/dev/null", "bs=1M")

    def memory(self) -> int:
        return int(quiet("fincore", "--bytes", "--noheadings", "--output", "RES", self.target))


class Locked(PageCache):
    name = "vmtouch -l"

    def set_up(self) -> None:
        self.target = self.copy_to(self.folder / "locked.img")
        self._locker = subprocess.Popen(["vmtouch", "-l", "-q", "-f", self.target])
        pages = -(-self.size // 4096) * 4096
        wait_for(lambda: self.memory() >= pages, "all of it is locked", 120)

    def take_down(self) -> None:
        self._locker.kill()
        self._locker.wait()


class Tmpfs(Contender):
    name = "copy in tmpfs"
    direct = False

    def set_up(self) -> None:
        self._at = Path("/run/bench-tmpfs")
        self._at.mkdir(exist_ok=True)
        quiet("mount", "-t", "tmpfs", "-o", f"size={self.size + 64 * MIB}", "bench", self._at)
        self.target = self.copy_to(self._at / "copy.img")

    def memory(self) -> int:
        return self.target.stat().st_blocks * 512

    def take_down(self) -> None:
        quiet("umount", self._at)


def fresh_zram(size: int, compressor: str = "lz4") -> str:
    number = zlab.read("/sys/class/zram-control/hot_add")
    name = f"zram{number}"
    for attribute, value in (("comp_algorithm", compressor), ("disksize", str(size))):
        (Path("/sys/block") / name / attribute).write_text(value)
    return name


def drop_zram(name: str) -> None:
    quiet("udevadm", "settle")
    (Path("/sys/block") / name / "reset").write_text("1")
    Path("/sys/class/zram-control/hot_remove").write_text(name[len("zram"):])


def fill_device(device: Path, content: Path) -> None:
    quiet("dd", f"if={content}", f"of={device}", "bs=1M", "oflag=direct", "conv=sparse,notrunc")
    quiet("sync")


class BareZram(Contender):
    name = "bare zram"

    def set_up(self) -> None:
        self._zram = fresh_zram(self.size)
        self.target = Path("/dev") / self._zram
        fill_device(self.target, self.content)

    def memory(self) -> int:
        return memory_of_zram(self._zram)

    def take_down(self) -> None:
        drop_zram(self._zram)


class Zraid(Contender):
    name = "zraid"
    options: List[str] = []

    def set_up(self) -> None:
        self.pool = f"bench{len(self.options)}"
        image = self.folder / f"{self.pool}.img"
        zraid("define", self.pool, "--image", image, "--size", self.size + 2 * MIB, "--no-libvirt",
              "--compressor", "lz4", *self.options, quiet=True)
        self.target = Path(zlab.info(self.pool)["md"])
        fill_device(self.target, self.content)
        zraid("attach", self.pool, quiet=True)
        zraid("wait", self.pool, "--timeout", "300", quiet=True, timeout=310)

    def memory(self) -> int:
        ram = zlab.info(self.pool)["ram"]
        return ram["stored_bytes"] + ram["table_bytes"]

    def take_down(self) -> None:
        zraid("undefine", self.pool, "--remove-image", "--yes", quiet=True)


class ZraidThrough(Zraid):
    name = "zraid --writes through"
    options = ["--writes", "through"]


class ZramRaid(Contender):
    """The shell recipe: a loop device with 512-byte sectors, no write-mostly, no bitmap."""
    name = "ZRAM-RAID recipe"

    def set_up(self) -> None:
        image = self.folder / "recipe.img"
        with open(image, "wb") as file:
            file.truncate(self.size + 2 * MIB)
        with zlab.udev_paused():
            self._loop = quiet("losetup", "--find", "--show", image)
            quiet("mdadm", "--create", "/dev/md90", "--run", "--level=1", "--raid-devices=2",
                  "--metadata=1.2", "--bitmap=none", "--assume-clean", "--data-offset=1M", "missing", self._loop)
            fill_device(Path("/dev/md90"), self.content)
            self._zram = fresh_zram(self.size + 2 * MIB)
            Path("/sys/block/md90/md/sync_speed_max").write_text("8388608")
            quiet("mdadm", "/dev/md90", "--add", f"/dev/{self._zram}")
        wait_for(lambda: zlab.sysfs("md90", "md/degraded") == "0", "the recipe's array is filled", 600)
        self.target = Path("/dev/md90")

    def memory(self) -> int:
        return memory_of_zram(self._zram)

    def take_down(self) -> None:
        quiet("mdadm", "--stop", "/dev/md90")
        drop_zram(self._zram)
        quiet("losetup", "--detach", self._loop)


class RamCache(Contender):
    """A RAM disk as LVM's cache of the disk."""
    kind = ""

    def set_up(self) -> None:
        self._disk = self.folder / f"{self.kind}.img"
        with open(self._disk, "wb") as file:
            file.truncate(self.size + 64 * MIB)
        self._loop = quiet("losetup", "--find", "--show", "--direct-io=on", self._disk)
        self._ram = f"/dev/ram{self.number}"
        quiet("modprobe", "brd", "rd_nr=2", f"rd_size={(self.size + 128 * MIB) // 1024}")
        self._group = f"bench{self.kind}"
        quiet("vgcreate", "-y", self._group, self._loop, self._ram)
        quiet("lvcreate", "-y", "-Wn", "-Zn", "-n", "disk", "-L", f"{self.size}b", self._group, self._loop)
        self.target = Path(f"/dev/{self._group}/disk")
        fill_device(self.target, self.content)
        self.convert(f"{self.size * 97 // 100 // (4 * MIB) * 4}M")

    def convert(self, size: str) -> None:
        raise NotImplementedError

    def memory(self) -> int:
        return self.size

    def take_down(self) -> None:
        quiet("vgremove", "-f", "-y", self._group)
        quiet("pvremove", "-f", "-y", self._loop, self._ram, check=False)
        quiet("losetup", "--detach", self._loop)


class DmCache(RamCache):
    name, kind, number = "dm-cache on a RAM disk", "cache", 0

    def convert(self, size: str) -> None:
        quiet("lvcreate", "-y", "--type", "cache-pool", "-L", size, "-n", "fast", "--chunksize", "64k",
              "--cachemode", "writethrough", self._group, self._ram)
        quiet("lvconvert", "-y", "--type", "cache", "--cachepool", f"{self._group}/fast", f"{self._group}/disk")
        for _ in range(3):      # it promotes what is read again
            quiet("dd", f"if={self.target}", "of=/dev/null", "bs=1M", "iflag=direct")


class WriteCache(RamCache):
    name, kind, number = "dm-writecache on a RAM disk", "writecache", 1

    def convert(self, size: str) -> None:
        quiet("lvcreate", "-y", "-an", "-Wn", "-Zn", "-L", size, "-n", "fast", self._group, self._ram)
        quiet("lvconvert", "-y", "--type", "writecache", "--cachevol", "fast", f"{self._group}/disk")


WITHOUT_LVM = [Raw, PageCache, Tmpfs, ZramRaid, Zraid, BareZram]
BOOTED = [Raw, PageCache, ZramRaid, Zraid, BareZram]
ALL = [Raw, PageCache, Locked, Tmpfs, ZramRaid, DmCache, WriteCache, Zraid, ZraidThrough, BareZram]


@contextlib.contextmanager
def no_memory_left(spare: int) -> Iterator[Dict[str, int]]:
    """The host is short of memory: all but `spare` bytes are taken, and nothing of it can be swapped."""
    hogs: List[mmap.mmap] = []
    taken = 0
    try:
        while available() > spare:
            piece = min(256 * MIB, max(available() - spare, 4 * MIB))
            hog = mmap.mmap(-1, piece, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE)
            hogs.append(hog)
            taken += piece
        yield {"taken": taken}
    finally:
        for hog in hogs:
            hog.close()


def available() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no MemAvailable")


def free_page_cache() -> None:
    zlab.drop_caches()
    os.sync()
