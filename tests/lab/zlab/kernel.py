"""The kernel: sysfs, block devices, images, udev."""

import contextlib
import os
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Union

from .programs import pids_of, sh, wait_for


def read(path: Union[str, Path]) -> str:
    """A one-value file of sysfs or procfs, without the newline."""
    return Path(path).read_text().strip()


def name_of(device: Union[str, Path]) -> str:
    """md100 for /dev/md100, for a link to it, or for itself."""
    return os.path.basename(os.path.realpath(device)) if "/" in str(device) else str(device)


def sysfs(device: Union[str, Path], attribute: str) -> str:
    """sysfs('/dev/md100', 'queue/logical_block_size')"""
    return read(Path("/sys/class/block") / name_of(device) / attribute)


class Counters(NamedTuple):
    reads: int                      # requests completed
    read_sectors: int               # of 512 bytes
    writes: int
    written_sectors: int


def counters(device: Union[str, Path]) -> Counters:
    """What /sys/block/DEVICE/stat has counted so far."""
    values = [int(word) for word in sysfs(device, "stat").split()]
    return Counters(values[0], values[2], values[4], values[6])


def blocks(pattern: str) -> List[str]:
    """Names in /sys/block."""
    return sorted(path.name for path in Path("/sys/block").glob(pattern))


def loops() -> Dict[str, str]:
    """Attached loop devices and what is behind them."""
    attached = {}
    for name in blocks("loop*"):
        with contextlib.suppress(OSError):
            attached[name] = read(f"/sys/block/{name}/loop/backing_file")
    return attached


def detach_loop(device: str) -> None:
    """The kernel lets go at the last close, and udev may be looking at it."""
    sh(["losetup", "--detach", device])
    wait_for(lambda: name_of(device) not in loops(), f"{device} is detached")


def zrams() -> List[str]:
    """All zram devices."""
    return blocks("zram*")


def mds() -> Dict[str, str]:
    """md arrays and their array_state (clean, active, read-auto, inactive, ...)."""
    states = {}
    for name in blocks("md*"):
        with contextlib.suppress(OSError):
            states[name] = read(f"/sys/block/{name}/md/array_state")
    # A device node without an array is no array.
    return {name: state for name, state in states.items() if state != "clear"}


def settle() -> None:
    """Wait until udev is through with what it knows of; if it never is, tell what keeps it."""
    if sh(["udevadm", "settle", "--timeout=60"], check=False, quiet=True).rc == 0:
        return
    sh(["ps", "-eo", "pid,ppid,stat,wchan:32,args"])
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if read(process / "comm") in ("systemd-udevd", "(udev-worker)"):
                print(f"{process.name} {read(process / 'stat')}\n{read(process / 'stack')}", flush=True)
    raise AssertionError("udev does not settle")


@contextlib.contextmanager
def udev_paused() -> Iterator[None]:
    """No udev rule runs meanwhile; events wait."""
    settle()
    sh(["udevadm", "control", "--stop-exec-queue"], quiet=True)
    try:
        yield
    finally:
        sh(["udevadm", "control", "--start-exec-queue"], quiet=True)
        settle()


@contextlib.contextmanager
def fresh_loop(image: Union[str, Path], offset: int = 0) -> Iterator[str]:
    """A new read-only loop device over an image, to see what is really in it.

    udev is kept from looking at it: its md superblock would make an array appear.
    """
    with udev_paused():
        device = sh(["losetup", "--find", "--show", "--read-only", f"--offset={offset}", image]).out.strip()
        try:
            yield device
        finally:
            sh(["losetup", "--detach", device])


def image_bytes(image: Union[str, Path], offset: int, length: int) -> bytes:
    """Bytes of an image, as the file system has them: with what its page cache holds, and of writes
    past the cache too."""
    with open(image, "rb") as stream:
        stream.seek(offset)
        return stream.read(length)


def drop_caches() -> None:
    """Forget all clean pages, so that reads come from where the data is."""
    sh(["sync"], quiet=True)
    Path("/proc/sys/vm/drop_caches").write_text("3")


def open_by(name: str, file: Union[str, Path]) -> bool:
    """Does a process of this name have the file open?"""
    wanted = os.path.realpath(file)
    for pid in pids_of(name):
        for link in Path(f"/proc/{pid}/fd").glob("*"):
            with contextlib.suppress(OSError):
                if os.readlink(link) == wanted:
                    return True
    return False
