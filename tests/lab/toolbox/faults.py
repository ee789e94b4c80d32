"""Faults that tests have in common, and data to find again behind them.

Importable on the host as well, like zlab.
"""

import os
from pathlib import Path

from zlab import MIB, Lab, sh, wait_for


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
        self._load(self._table(kind))

    def _load(self, table: str) -> None:
        sh(["dmsetup", "suspend", "--nolockfs", "flaky"])
        sh(["dmsetup", "load", "flaky"], input=table + "\n")
        sh(["dmsetup", "resume", "flaky"])

    def fail_below(self, file: Path, at: int, size: int) -> None:
        """Only the sectors below a part of a file fail, so that its file system notices nothing."""
        listing = sh(["filefrag", "-v", "-b512", file]).out
        first, last = at // 512, (at + size) // 512 - 1
        bad = []
        for line in listing.splitlines():
            words = line.replace(":", " ").replace("..", " ").split()
            if len(words) < 6 or not words[0].isdigit():
                continue
            logical, end, physical = (int(word) for word in words[1:4])
            begin, finish = max(first, logical), min(last, end)
            if begin <= finish:
                bad.append((physical + begin - logical, finish - begin + 1))
        assert sum(length for _, length in bad) == size // 512, (bad, listing)
        lines, done = [], 0
        for start, length in sorted(bad):
            if start > done:
                lines.append(f"{done} {start - done} linear {self.loop} {done}")
            lines.append(f"{start} {length} error")
            done = start + length
        lines.append(f"{done} {self.sectors - done} linear {self.loop} {done}")
        self._load("\n".join(lines))

    def mount(self) -> None:
        sh(["mount", "/dev/mapper/flaky", self.folder])

    def unmount(self) -> None:
        sh(["umount", self.folder])

    def mend(self) -> None:
        """The device answers again, and its file system is made whole, as after any such fault."""
        self.switch("linear")
        # Whoever tries now and then whether the device answers holds it for a moment.
        wait_for(lambda: sh(["umount", self.folder], check=False).rc == 0, "the file system is free")
        code = sh(["e2fsck", "-fy", "/dev/mapper/flaky"], check=False).rc
        assert code in (0, 1), code      # 1: errors were corrected
        self.mount()


class SmallDisk:
    """A file system of its own below an image, which gives up when told to and is mended by hand."""

    def __init__(self, lab: Lab, kind: str):
        self.kind = kind
        self.folder = lab.dir / kind
        backing = lab.dir / f"{kind}.raw"
        with open(backing, "wb") as file:
            file.truncate(500 * MIB)
        self.loop = sh(["losetup", "-f", "--show", backing]).out.strip()
        lab.defer(sh, ["losetup", "-d", self.loop])
        sh(["mkfs.xfs", "-q", self.loop] if kind == "xfs" else
           ["mkfs.ext4", "-q", "-e", "remount-ro", self.loop])
        self.folder.mkdir()
        self.mount()
        lab.defer(self.unmount)

    def give_up(self) -> None:
        if self.kind == "xfs":
            sh(["xfs_io", "-x", "-c", "shutdown", self.folder])
        else:
            name = self.loop.rsplit("/", 1)[1]
            Path(f"/sys/fs/ext4/{name}/trigger_fs_error").write_text("lab")

    def mount(self) -> None:
        sh(["mount", self.loop, self.folder])

    def unmount(self) -> None:
        wait_for(lambda: sh(["umount", self.folder], check=False).rc == 0, "the file system is free")

    def mend(self) -> None:
        self.unmount()
        if self.kind != "xfs":          # which mends itself when it is mounted
            code = sh(["e2fsck", "-fy", self.loop], check=False).rc
            assert code in (0, 1), code
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
