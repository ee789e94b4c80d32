"""The host runs short of memory while a pool works: a test of any length.

Importable on the host as well, like zlab.
"""

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import List

import zlab
from toolbox import records
from toolbox.pools import Pool
from zlab import MIB, Lab, sh, wait_for, zraid

PLACES = range(1024, 1024 + 2048)       # of the records: 4 MiB into the array, 8 MiB long
WINDOW = 20                             # seconds in which a writer has to get on
FLOOR = 48 * MIB                        # what the squeezer leaves

# Takes nearly all memory that is to be had (every page is written to by the kernel), keeps it for two
# seconds, gives it back, again and again. Tells the least MemAvailable that it saw.
SQUEEZER = """
import mmap, sys, time
floor, end = int(sys.argv[1]), time.monotonic() + float(sys.argv[2])
def available():
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("MemAvailable"))
open("/proc/self/oom_score_adj", "w").write("1000")
while time.monotonic() < end:
    held, least = [], available()
    while available() > floor and time.monotonic() < end:
        held.append(mmap.mmap(-1, 4 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE))
        least = min(least, available())
    print(least, flush=True)
    time.sleep(max(0, min(2, end - time.monotonic())))
    for piece in held:
        piece.close()
"""


def available() -> int:
    """MemAvailable in bytes."""
    (line,) = [line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable")]
    return int(line.split()[1]) << 10


class KernelLog:
    """What the kernel has said since this was made."""

    def __init__(self) -> None:
        self._mark = f"lab: mark {time.monotonic_ns()}"
        Path("/dev/kmsg").write_text(self._mark + "\n")

    def lines(self) -> List[str]:
        return sh(["dmesg"], quiet=True).out.partition(self._mark)[2].splitlines()

    def assert_none(self, *words: str) -> None:
        found = [line for line in self.lines() if any(word in line for word in words)]
        assert not found, "\n".join(found)


OUT_OF_MEMORY = ("Out of memory", "oom-kill", "oom_reaper")
HUNG = ("blocked for more than", "soft lockup", "rcu_preempt detected stalls")


class Progress(threading.Thread):
    """Notes each second how far somebody has come, and where nothing moved for a whole window."""

    def __init__(self, writer: records.Writer):
        super().__init__(daemon=True)
        self._writer = writer
        self._ending = threading.Event()
        self.longest = 0.0

    def run(self) -> None:
        last, since = self._writer.number, time.monotonic()
        while not self._ending.wait(0.5):
            now = time.monotonic()
            self.longest = max(self.longest, now - since)
            if self._writer.number != last:
                last, since = self._writer.number, now

    def stop(self) -> None:
        self._ending.set()
        self.join()


def run(lab: Lab, pool: Pool, seconds: int) -> None:
    """Write to a mirrored pool as fast as it goes while the memory of the host goes and comes."""
    hung = Path("/proc/sys/kernel/hung_task_timeout_secs")
    lab.defer(hung.write_text, hung.read_text())
    hung.write_text("30")
    log = KernelLog()
    writer = records.Writer(pool.md, PLACES, lab.share / "reported", 1)
    writer.start()
    bulk = subprocess.Popen(
        ["fio", "--name=bulk", f"--filename={pool.md}", "--rw=randwrite", "--bs=64k", "--direct=1", "--offset=32M",
         "--size=64M", "--ioengine=psync", "--time_based", f"--runtime={seconds}", "--refill_buffers"],
        stdout=subprocess.PIPE, text=True)
    lab.defer(bulk.kill)
    wait_for(lambda: writer.error or writer.number > 20, "the first records")
    begun, number = time.monotonic(), writer.number
    progress = Progress(writer)
    progress.start()
    squeezer = subprocess.Popen([sys.executable, "-c", SQUEEZER, str(FLOOR), str(seconds)],
                                stdout=subprocess.PIPE, text=True)
    lab.defer(squeezer.kill)
    told, _ = squeezer.communicate(timeout=seconds + 60)
    fio, _ = bulk.communicate(timeout=120)
    progress.stop()
    at_end = writer.number
    writer.stop()

    least = [int(word) for word in told.split()]
    zlab.say(f"{at_end - number} records in {time.monotonic() - begun:.0f} s, the longest wait "
             f"{progress.longest:.1f} s; least MemAvailable {[value >> 20 for value in least]} MiB; "
             f"{[line.strip() for line in fio.splitlines() if 'WRITE:' in line]}")
    # The fault took effect, and did so more than once.
    assert squeezer.returncode == 0 and len(least) >= 2, (squeezer.returncode, least)
    assert sum(value < 2 * FLOOR for value in least) >= 2, least
    assert bulk.returncode == 0, fio
    assert progress.longest < WINDOW, progress.longest
    log.assert_none(*HUNG)
    log.assert_none(*OUT_OF_MEMORY)

    assert not records.lost(pool.md, lab.share / "reported")
    assert pool.now().state == "mirrored"
    zraid("scrub", pool.name, timeout=300)
    zraid("detach", pool.name)
    assert not records.lost(str(pool.image), lab.share / "reported", MIB)
