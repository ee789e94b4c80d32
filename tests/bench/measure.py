"""The measurements, inside the lab. Each returns rows: what, who, unit, and one figure a round.

usage: measure.py CONTENT ROUNDS ONLY SECTION...    prints one line: MARK and the rows as JSON
"""

import contextlib
import json
import os
import platform
import random
import re
import select
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

import contenders  # noqa: E402
import zlab  # noqa: E402
from contenders import quiet  # noqa: E402
from toolbox import pools  # noqa: E402
from zlab import MIB, Domain, wait_for, zraid  # noqa: E402

MARK = "zraid-bench: "
GIB = 1024 * MIB
WRITE_AREA = 256 * MIB          # at the end of the content, for jobs that write
Rows = List[Dict[str, Any]]


def say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


class Table:
    """Figures by what was measured and of whom, gathered round by round."""

    def __init__(self, section: str, only: str = ""):
        self.section, self._only = section, re.compile(only)
        self._figures: Dict[tuple, List[float]] = {}

    def wants(self, what: str) -> bool:
        return bool(self._only.search(what))

    def add(self, what: str, who: str, unit: str, figure: float) -> None:
        self._figures.setdefault((what, who, unit), []).append(figure)

    def rows(self) -> Rows:
        return [{"section": self.section, "what": what, "who": who, "unit": unit,
                 "median": statistics.median(runs), "lowest": min(runs), "highest": max(runs), "runs": runs}
                for (what, who, unit), runs in self._figures.items()]


def timed(action: Callable[[], Any]) -> float:
    begun = time.monotonic()
    action()
    return time.monotonic() - begun


# --- reads, writes, a database

# name -> (fio's words, which side, which figure, unit)
JOBS = {
    "random read 4k, 1 at a time": ("rw=randread bs=4k iodepth=1", "read", "iops", "1/s"),
    "random read 4k, 16 at a time": ("rw=randread bs=4k iodepth=16", "read", "iops", "1/s"),
    "random read 64k, 1 at a time": ("rw=randread bs=64k iodepth=1", "read", "iops", "1/s"),
    "random read 64k, 16 at a time": ("rw=randread bs=64k iodepth=16", "read", "iops", "1/s"),
    "sequential read": ("rw=read bs=1M iodepth=1", "read", "bw_bytes", "B/s"),
    "random write 4k, no flush": ("rw=randwrite bs=4k iodepth=1 number_ios=2000", "write", "iops", "1/s"),
    "random write 4k, a flush each": ("rw=randwrite bs=4k iodepth=1 fdatasync=1", "write", "iops", "1/s"),
}
READ_JOBS = [name for name in JOBS if "read" in name]
PRESSED = ", host short of memory"


def fio(contender: contenders.Contender, names: List[str], seconds: float = 1) -> Dict[str, float]:
    """What one writes, and nobody flushed, is on the disk before the next begins."""
    reads = [name for name in names if name in READ_JOBS]
    figures = fio_at_once(contender, reads, seconds) if reads else {}
    for name in [name for name in names if name not in READ_JOBS]:
        figures.update(fio_at_once(contender, [name], 3 * seconds))
        os.sync()
    return figures


def fio_at_once(contender: contenders.Contender, names: List[str], seconds: float) -> Dict[str, float]:
    lines = ["[global]", f"filename={contender.target}", f"direct={int(contender.direct)}", "ioengine=libaio",
             f"runtime={seconds}", "invalidate=0", "randrepeat=0", "norandommap=1",
             "buffer_compress_percentage=50", "thread=1"]
    for number, name in enumerate(names):
        words, side = JOBS[name][:2]
        area = (0, contender.size - WRITE_AREA) if side == "read" else (contender.size - WRITE_AREA, WRITE_AREA)
        lines += [f"[job{number}]", "stonewall", f"offset={area[0]}", f"size={area[1]}", *words.split()]
        lines += [] if "number_ios" in words else ["time_based=1"]
    job = Path("/run/bench.fio")
    job.write_text("\n".join(lines) + "\n")
    found = json.loads(quiet("fio", "--output-format=json", job))["jobs"]
    return {name: found[number][JOBS[name][1]][JOBS[name][2]] for number, name in enumerate(names)}


def database_job(contender: contenders.Contender, seconds: float = 3) -> float:
    """Transactions a second of SQLite with its default journal, each of them flushed."""
    with contender.mounted() as folder:
        base = sqlite3.connect(folder / "bench.db", isolation_level=None)
        base.execute("pragma synchronous=full")
        done, begun = 0, time.monotonic()
        while time.monotonic() - begun < seconds:
            key = random.randrange(20000)
            base.execute("begin immediate")
            base.execute("update account set balance = balance + 1 where id = ?", (key,))
            base.execute("insert into history (account, text) values (?, 'moved one')", (key,))
            base.execute("commit")
            done += 1
        rate = done / (time.monotonic() - begun)
        base.close()
    return rate


@contextlib.contextmanager
def control_group() -> Iterator[Path]:
    """A control group that takes all its processes along."""
    group = Path("/sys/fs/cgroup/bench")
    group.mkdir()
    try:
        yield group
    finally:
        (group / "cgroup.kill").write_text("1")
        wait_for(lambda: "populated 0" in (group / "cgroup.events").read_text(), "all of them are gone", 60)
        for folder, _, _ in os.walk(group, topdown=False):
            os.rmdir(folder)


def boot_job(contender: contenders.Contender) -> float:
    """Seconds from the first process of the content's Debian to its login, in a container: an
    emulated machine inside an emulated one would measure the emulator."""
    with contender.mounted() as folder, control_group() as group:
        main, console = os.openpty()
        begun = time.monotonic()
        guest = subprocess.Popen(["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', group, "systemd-nspawn",
                                  "--quiet", "--register=no", "--keep-unit", "--boot", "--machine=bench",
                                  "--link-journal=no", f"--directory={folder}"],
                                 stdin=console, stdout=console, stderr=console, start_new_session=True)
        os.close(console)
        try:
            return time_of_text(main, "login:", 300) - begun
        finally:
            guest.kill()
            guest.wait()
            os.close(main)


def time_of_text(terminal: int, text: str, limit: float) -> float:
    """When it is read from the terminal. @raise TimeoutError"""
    end, seen = time.monotonic() + limit, ""
    while (left := end - time.monotonic()) > 0 and select.select([terminal], [], [], left)[0]:
        try:
            seen += os.read(terminal, 4096).decode(errors="replace")
        except OSError:
            break
        if text in seen:
            return time.monotonic()
    raise TimeoutError(f"no '{text}' but: {seen[-2000:]}")


def disk_section(section: str, device: str, content: Path, rounds: int, kinds: Sequence[Any] = contenders.ALL,
                 pressed: bool = True, bootable: bool = False, only: str = "") -> Rows:
    """All that a disk is asked for, of each kind of contender; again with the host short of memory."""
    table = Table(section, only)
    jobs = [name for name in JOBS if table.wants(name)]
    database, boot, under_pressure = "SQLite, transactions", "boot of Debian to its login", f"{READ_JOBS[0]}{PRESSED}"
    folder = Path(f"/srv/{section}")
    folder.mkdir()
    quiet("mkfs.xfs", "-q", "-f", device)
    quiet("mount", device, folder)
    there = [kind(folder, content) for kind in kinds]
    data = content.stat().st_blocks * 512
    monitor = subprocess.Popen(["zraid-monitor"], stdin=subprocess.DEVNULL)
    try:
        for contender in there:
            say(f"{section}: {contender.name}")
            contender.set_up()
        zlab.drop_caches()
        for contender in there:
            if type(contender) is contenders.PageCache:
                contender.warm_up()
        for contender in there:
            if contender.memory() and table.wants("memory for a byte of content"):
                table.add("memory for a byte of content", contender.name, "B", contender.memory() / data)
        for number in range(rounds):
            say(f"{section}: round {number + 1}")
            for contender in there:
                for name, figure in fio(contender, jobs).items():
                    table.add(name, contender.name, JOBS[name][3], figure)
        for number in range(rounds if table.wants(database) else 0):
            say(f"{section}: database, round {number + 1}")
            for contender in there:
                table.add(database, contender.name, "1/s", database_job(contender))
        if bootable and table.wants(boot):
            for number in range(rounds):
                say(f"{section}: boot, round {number + 1}")
                for contender in [one for one in there if type(one) in contenders.BOOTED]:
                    table.add(boot, contender.name, "s", boot_job(contender))
        if pressed and table.wants(under_pressure):
            say(f"{section}: under memory pressure")
            try:
                press(table, there, rounds)
            except Exception:   # the other figures count all the same
                say(traceback.format_exc())
    finally:
        for contender in reversed(there):
            try:
                contender.take_down()
            except Exception as error:  # the figures are what counts
                say(f"{contender.name}: {error}")
        monitor.terminate()
        monitor.wait()
        quiet("umount", folder, check=False)
    return table.rows()


def press(table: Table, there: List[contenders.Contender], rounds: int) -> None:
    name = READ_JOBS[0]
    with contenders.no_memory_left(300 * MIB):
        for _ in range(rounds):
            for contender in there:
                table.add(f"{name}{PRESSED}", contender.name, "1/s", fio(contender, [name])[name])


# --- the fill

def make_filled_pool(name: str, size: int, share: float, content: Path, *options: str) -> pools.Pool:
    """A pool whose image holds data, as compressible as the content, in one run."""
    pool = pools.Pool(name, zlab.DISK / f"{name}.img")
    zraid("define", name, "--image", pool.image, "--size", size, "--no-libvirt", "--compressor", "lz4",
          *options, quiet=True)
    left, at = int(size * share) - 4 * MIB, 1
    while left > 0:
        piece = min(left, 1 * GIB)
        quiet("dd", f"if={content}", f"of={pool.md}", "bs=1M", f"seek={at}", f"count={piece // MIB}",
              "oflag=direct", "conv=notrunc")
        left, at = left - piece, at + piece // MIB
    os.sync()
    return pool


def wait_mirrored(pool: pools.Pool) -> None:
    state = Path("/sys/block") / zlab.name_of(pool.md) / "md/degraded"
    wait_for(lambda: state.read_text().strip() == "0", "it is mirrored", 900)


def sparse_fill(pool: pools.Pool) -> float:
    zlab.drop_caches()
    begun = time.monotonic()
    zraid("attach", pool.name, quiet=True)
    wait_mirrored(pool)
    took = time.monotonic() - begun
    zraid("detach", pool.name, quiet=True)
    return took


def full_add(pool: pools.Pool, size: int) -> float:
    """What mdadm does with a device that it does not know."""
    zlab.drop_caches()
    begun = time.monotonic()
    zram = contenders.fresh_zram(size)
    quiet("mdadm", "--quiet", pool.md, "--add", f"/dev/{zram}")
    wait_mirrored(pool)
    took = time.monotonic() - begun
    quiet("mdadm", "--quiet", pool.md, "--fail", f"/dev/{zram}", "--remove", f"/dev/{zram}")
    contenders.drop_zram(zram)
    return took


def copy_with_dd(pool: pools.Pool, size: int, share: float) -> float:
    """The same data, from the image to a zram device."""
    zlab.drop_caches()
    begun = time.monotonic()
    zram = contenders.fresh_zram(size)
    quiet("dd", f"if={pool.image}", f"of=/dev/{zram}", "bs=1M", f"count={int(size * share) // MIB}",
          "oflag=direct", "conv=notrunc")
    took = time.monotonic() - begun
    contenders.drop_zram(zram)
    return took


def fill_section(content: Path, rounds: int) -> Rows:
    table = Table("fill")
    for gib, share, full in ((1, 1.0, True), (4, 1.0, False), (1, 0.05, True), (8, 0.05, True), (64, 0.05, False)):
        size = gib * GIB
        what = f"{gib} GiB, " + ("full" if share == 1.0 else f"{share:.0%} full")
        pool = make_filled_pool("fill", size, share, content, "--ram-limit", str(max(GIB, int(size * share))))
        for number in range(rounds):
            say(f"fill: {what}, round {number + 1}")
            table.add(what, "zraid attach to mirrored", "s", sparse_fill(pool))
            table.add(what, "dd to a zram device", "s", copy_with_dd(pool, size, share))
            if full:
                table.add(what, "mdadm --add", "s", full_add(pool, size))
        zraid("undefine", "fill", "--remove-image", "--yes", quiet=True)
    return table.rows() + chunk_rows(rounds) + guest_rows(content, rounds)


SHAPES = {
    "one run of 64 MiB": lambda: [(16 * MIB, 64 * MIB)],
    "64 KiB in every 16 MiB": lambda: [(at, 65536) for at in range(16 * MIB, 1000 * MIB, 16 * MIB)],
    "4 KiB in every 1 MiB": lambda: [(at, 4096) for at in range(16 * MIB, 1000 * MIB, MIB)],
}


def chunk_rows(rounds: int) -> Rows:
    """The bitmap's chunk: what a fill copies of images of different shape."""
    table = Table("chunk")
    number = os.stat(zlab.DISK).st_dev
    disk_name = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}").resolve().name
    for chunk in ("1M", "4M", "16M"):
        for shape, places in SHAPES.items():
            pool = pools.Pool("chunk", zlab.DISK / "chunk.img")
            zraid("define", "chunk", "--image", pool.image, "--size", "1G", "--no-libvirt", "--bitmap-chunk", chunk,
                  quiet=True)
            fd = os.open(pool.md, os.O_WRONLY)
            for at, length in places():
                os.pwrite(fd, os.urandom(length), at)
            os.fsync(fd)
            os.close(fd)
            for _ in range(rounds):
                table.add(shape, f"chunk {chunk}", "s", sparse_fill(pool))
            zlab.drop_caches()
            before = zlab.counters(disk_name).read_sectors
            zraid("attach", "chunk", quiet=True)
            wait_mirrored(pool)
            table.add(f"{shape}: read of the image", f"chunk {chunk}", "B",
                      (zlab.counters(disk_name).read_sectors - before) * 512)
            zraid("undefine", "chunk", "--remove-image", "--yes", quiet=True)
    return table.rows()


def guest_rows(content: Path, rounds: int) -> Rows:
    """A guest that reads while its pool is filled: what it notices, and what the fill does."""
    table = Table("guest and fill")

    class Guest(contenders.Contender):
        name = "guest"

    pool = make_filled_pool("busy", 2 * GIB, 1.0, content)
    guest = Guest(zlab.DISK, content)
    guest.target = Path(pool.md)
    name = READ_JOBS[0]
    speed = Path("/sys/block") / zlab.name_of(pool.md) / "md/sync_speed"

    def filling() -> bool:
        return zlab.sysfs(zlab.name_of(pool.md), "md/sync_action") == "recover"

    for _ in range(rounds):
        zlab.drop_caches()
        table.add(name, "before the fill", "1/s", fio(guest, [name], 2)[name])
        zlab.drop_caches()
        zraid("attach", "busy", quiet=True)
        during = fio(guest, [name], 2)[name]
        assert filling(), "the fill was over too soon"
        table.add(name, "during the fill", "1/s", during)
        table.add("speed of the fill", "while the guest reads", "KiB/s", float(speed.read_text()))
        wait_mirrored(pool)
        table.add(name, "mirrored", "1/s", fio(guest, [name], 2)[name])
        zraid("detach", "busy", quiet=True)
        took = sparse_fill(pool)
        table.add("speed of the fill", "while the guest is idle", "KiB/s", 2 * GIB / 1024 / took)
    zraid("undefine", "busy", "--remove-image", "--yes", quiet=True)
    return table.rows()


# --- md's own writes

def tuning_section(device: str, content: Path, rounds: int) -> Rows:
    """What md's writes of its own cost: writes after a pause, and a database, with them and without."""
    table = Table("tuning")
    folder = Path("/srv/tuning")
    folder.mkdir()
    quiet("mkfs.xfs", "-q", "-f", device)
    quiet("mount", device, folder)
    zraid_contender = contenders.Zraid(folder, content)
    zraid_contender.set_up()
    md = Path("/sys/block") / zlab.name_of(zraid_contender.target) / "md"
    settings = {"md's defaults": {"safe_mode_delay": "0.2", "bitmap/time_base": "5"},
                "few writes of md's own": {"safe_mode_delay": "0", "bitmap/time_base": "60"}}
    page = os.urandom(4096)
    for _ in range(rounds):
        for who, values in settings.items():
            for name, value in values.items():
                (md / name).write_text(value)
            fd = os.open(zraid_contender.target, os.O_WRONLY | os.O_DSYNC)
            for number in range(8):
                time.sleep(0.4)     # the pause is what is measured
                begun = time.monotonic()
                os.pwrite(fd, page, zraid_contender.size - WRITE_AREA + number * 4096)
                table.add("flushed write after a pause of 0.4 s", who, "s", time.monotonic() - begun)
            os.close(fd)
            table.add("SQLite, transactions", who, "1/s", database_job(zraid_contender))
    zraid_contender.take_down()
    quiet("umount", folder)
    return table.rows()


# --- the hook

def call_hook(domain: Domain, *operation: str) -> None:
    done = subprocess.run([pools.HOOK, domain.name, *operation, "-"], input=domain.xml(), text=True,
                          capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done


def hook_section(content: Path, rounds: int) -> Rows:
    table = Table("hook")
    plain = pools.with_uuid(Domain("plain", [{"file": "/srv/lab/none.img"}]))
    made = []
    for gib in (1, 16, 64):
        pool = make_filled_pool(f"hook{gib}", gib * GIB, 64 / 1024 / gib, content, "--ram-limit", "512M")
        made.append((f"prepare with attach, {gib} GiB", gib, pool,
                     pools.with_uuid(Domain(f"on-{gib}", [{"dev": pool.md}]))))
    pool = made[0][2]
    for number in range(rounds):
        say(f"hook: round {number + 1}")
        for _ in range(8):          # short: their spread is wide
            table.add("/bin/true", "-", "s", timed(lambda: quiet("/bin/true")))
            table.add("prepare, no zraid disk", "hook", "s", timed(lambda: call_hook(plain, "prepare", "begin")))
        for what, gib, one, domain in made:
            table.add(what, "hook", "s", timed(lambda: call_hook(domain, "prepare", "begin")))
            one.fill()
            call_hook(domain, "release", "end")
            table.add(what, "of it, the table of zram", "s", time_of_table(gib * GIB))
        zraid("attach", pool.name, quiet=True)
        pool.fill()
        leg = pool.info()["ram"]["device"]
        quiet("mdadm", "--quiet", pool.md, "--fail", leg, "--remove", leg)
        table.add("mdadm --re-add", "-", "s", timed(lambda: quiet("mdadm", "--quiet", pool.md, "--re-add", leg)))
        pool.fill()
        zraid("detach", pool.name, quiet=True)
    for _, _, one, _ in made:
        zraid("undefine", one.name, "--remove-image", "--yes", quiet=True)
    return table.rows() + start_rows(content, rounds)


def time_of_table(size: int) -> float:
    begun = time.monotonic()
    zram = contenders.fresh_zram(size)
    took = time.monotonic() - begun
    contenders.drop_zram(zram)
    return took


def start_rows(content: Path, rounds: int) -> Rows:
    """virsh start with the hook and without it. libvirt looks for hooks when it starts."""
    table = Table("start")
    image = zlab.DISK / "plain.img"
    pools.sparse(image, 64 * MIB)
    pool = make_filled_pool("start", 1 * GIB, 0.06, content)
    away = Path("/run/hook-away")
    for number in range(rounds):
        say(f"start: round {number + 1}")
        for who, disk in (("no hook", {"file": str(image)}), ("hook, no zraid disk", {"file": str(image)}),
                          ("hook, RAM leg attached", {"dev": pool.md})):
            if who == "no hook":
                shutil.move(pools.HOOK, away)   # from one file system to another
            zlab.kill_libvirtd()
            zlab.start_libvirtd()
            domain = Domain(f"start{number}", [disk])
            with domain:
                domain.define()
                table.add("virsh start", who, "s", timed(domain.start))
                domain.destroy()
            if who == "no hook":
                shutil.move(away, pools.HOOK)
    zraid("undefine", "start", "--remove-image", "--yes", quiet=True)
    return table.rows()


def main() -> None:
    content, rounds, only, sections = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:]
    out, sys.stdout = sys.stdout, open(os.devnull, "w")     # zlab tells every step
    local = zlab.DISK / "content.img"
    quiet("cp", "--sparse=always", content, local)
    quiet("modprobe", "zram", "num_devices=0")
    rows: Rows = []
    wanted = {
        "hdd": lambda: disk_section("hdd", "/dev/vdb", local, rounds, bootable=True, only=only),
        "ssd": lambda: disk_section("ssd", "/dev/vdc", local, rounds, only=only),
        "tuning": lambda: tuning_section("/dev/vdb", local, rounds),
        "native": lambda: disk_section("native", "/dev/ubdb", local, rounds, contenders.WITHOUT_LVM, False,
                                       only=only),
        "hook": lambda: hook_section(local, rounds),
        "fill": lambda: fill_section(local, rounds),
    }
    failed = []
    for section in sections:
        begun = time.monotonic()
        try:
            rows += wanted[section]()
        except Exception:       # the figures of the others count all the same
            failed.append(section)
            say(traceback.format_exc())
        say(f"{section}: {time.monotonic() - begun:.0f} s")
    print(MARK + json.dumps({"rows": rows, "rounds": rounds, "kernel": platform.release(),
                             "processors": os.cpu_count(), "date": time.strftime("%Y-%m-%d"), "failed": failed}), file=out)


if __name__ == "__main__":
    main()
