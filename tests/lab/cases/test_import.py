"""Arrays that ZRAM-RAID made become pools, with their data.

Its recipe: an ordinary loop device, mdadm --create with the first leg missing, a zram added; the
guest has the whole array. It stops the array with both legs in it.
"""

import hashlib
import json
from pathlib import Path
from typing import Dict, List, Union

import zlab
from scenarios.kills import calls_of, chosen, kill_at
from toolbox.pools import DEFINITIONS, Pool, assert_same, drop_pool, get, put, sparse, system
from zlab import MIB, Domain, Lab, sh, wait_for, zraid

IMPORTED = Path("/etc/zraid/imported")
SETTINGS = Path("/etc/zraid/zraid.conf")
Entry = Dict[str, Union[str, int]]


def digest(path: Union[str, Path]) -> str:
    with open(path, "rb") as file:
        hashed = hashlib.sha256()
        for piece in iter(lambda: file.read(MIB), b""):
            hashed.update(piece)
    return hashed.hexdigest()


class OldArray:
    """An array of ZRAM-RAID's, with 512-byte sectors."""

    def __init__(self, lab: Lab, number: int, size: int, *options: str):
        self.number, self.size, self.options = number, size, options
        self.image = sparse(lab.dir / f"disk{number}.img", size)
        self.loop = ""

    @property
    def md(self) -> str:
        return f"/dev/md{self.number}"

    def start(self, first: bool = False) -> None:
        # udev would assemble it by itself.
        with zlab.udev_paused():
            self.loop = sh(["losetup", "-f", "--show", self.image]).out.strip()
            if first:
                sh(["mdadm", "--create", self.md, "--run", "--auto=yes", "--level=1", "--raid-devices=2",
                    *self.options, "missing", self.loop])
            else:
                sh(["mdadm", "-A", "--force", "--run", self.md, "--update=name", self.loop])

    def add_ram(self) -> str:
        sh(["modprobe", "zram", "num_devices=0"])
        zram = "zram" + Path("/sys/class/zram-control/hot_add").read_text().strip()
        Path(f"/sys/block/{zram}/disksize").write_text(str(self.size))
        wait_for(Path(f"/dev/{zram}").is_block_device, zram)
        sh(["mdadm", "--add", self.md, f"/dev/{zram}"])
        wait_for(lambda: zlab.sysfs(f"md{self.number}", "md/degraded") == "0", "the old array's fill", 60)
        return zram

    def stop(self, zram: str = "") -> None:
        zlab.settle()
        with zlab.udev_paused():
            sh(["mdadm", "-S", self.md])
            sh(["losetup", "-d", self.loop])
            wait_for(lambda: str(self.image) not in zlab.loops().values(), "the old loop is gone")
        if zram:
            Path("/sys/class/zram-control/hot_remove").write_text(zram.removeprefix("zram"))


def write_config(lab: Lab, entries: List[Entry]) -> Path:
    file = lab.dir / "zramraid.conf"
    file.write_text(json.dumps({
        "info": "id - md[id], image - is the path to the media to mount", "log": "/var/log/syslog",
        "limit_free_mem": {"info": "…", "size": "80", "value_size": "%"}, "md": entries}))
    file.chmod(0o600)
    return file


def forget(*names: str) -> None:
    for name in names:
        drop_pool(name)
    sh(["rm", "-rf", IMPORTED, SETTINGS])


@zlab.options(timeout=300)
def test_with_data(lab: Lab) -> None:
    """Two images by the recipe: dry run, import, every byte of the arrays as it was, RAM leg, scrub,
    stop and start, a domain that has the array; a third that runs is refused; again is a no-op."""
    lab.defer(forget, "md0", "md7", "md9")
    first = OldArray(lab, 0, 64 * MIB)
    first.start(first=True)
    # As a guest with 512-byte sectors does it: its own table, a file system in the partition.
    sh(["sfdisk", "--quiet", "--no-reread", first.md], input="label: dos\nstart=2048, type=83\n")
    inside = sh(["losetup", "-f", "--show", "-o", str(MIB), first.md]).out.strip()
    sh(["mkfs.ext4", "-q", inside])
    sh(["losetup", "-d", inside])
    put(first.md, 20 * MIB + 512, 0x5A)
    table = sh(["sfdisk", "--dump", first.md]).out
    # From here on the array has 4096-byte sectors.
    zram = first.add_ram()
    put(first.md, 30 * MIB, 0x5B)
    before = digest(first.md)
    first.stop(zram)
    # No multiple of 4096 bytes; with a bitmap, and more room in front, as other versions make it.
    second = OldArray(lab, 7, 64 * MIB + 512, "--bitmap=internal", "--data-offset=4M")
    second.start(first=True)
    put(second.md, 60 * MIB - 8192, 0x77)
    old_size = int(zlab.sysfs("md7", "size")) * 512
    second_before = digest(second.md)
    second.stop()
    running = OldArray(lab, 9, 64 * MIB)
    running.start(first=True)
    lab.defer(running.stop)
    file = write_config(lab, [{"id": "0", "info": "'mail'", "image": str(first.image)},
                              {"id": "md7", "info": "", "image": str(second.image), "size": "1"},
                              {"id": 9, "info": "", "image": str(running.image)},
                              {"id": "3", "image": str(lab.dir / "nowhere.img")}])

    nothing = system(lab.dir)
    shown = zraid("import", file)
    assert shown.out.count("can be imported") == 2 and shown.out.count("refused") == 2, shown
    assert "it runs as /dev/md9" in shown.out and "No such file" in shown.out, shown
    assert "Memory limit: 80%" in shown.out and "'size' is not known" in shown.out, shown
    assert_same(nothing, system(lab.dir))

    done = zraid("import", file, "--apply", check=False)
    assert done.rc == 1 and "not all" in done.err, done
    assert SETTINGS.read_text() == "memory-limit = 80%\n"
    pool = Pool("md0", first.image)
    info = pool.info()
    assert info["state"] == "disk-only" and info["md"] == "/dev/md0" and info["type"] == "whole", info
    assert digest("/dev/md0") == before
    # The guest sees 512-byte sectors, and finds its table.
    view = sh(["losetup", "-f", "--show", "-b", "512", "/dev/md0"]).out.strip()
    assert sh(["sfdisk", "--dump", view]).out.replace(view, first.md) == table
    sh(["losetup", "-d", view])
    grown = int(zlab.sysfs("md7", "size")) * 512
    assert grown % 4096 == 0 and 0 <= grown - old_size < 4096
    with open("/dev/md7", "rb") as device:
        assert hashlib.sha256(device.read(old_size)).hexdigest() == second_before
        assert device.read() == bytes(grown - old_size)

    other = Pool("md7", second.image)
    for each in (pool, other):
        each.attach_and_fill()
        assert each.mismatches() == 0
        assert each.info()["ram"]["fill"] == "sparse", each.info()
        zraid("scrub", each.name)
    put("/dev/md0", 50 * MIB, 0x5C)
    after = digest("/dev/md0")
    again = zraid("import", file, "--apply", check=False)
    assert again.rc == 1 and again.out.count("already imported") == 2, again
    assert pool.now().state == "mirrored"
    for each in (pool, other):
        zraid("detach", each.name)
        zraid("stop", each.name)
        zraid("start", each.name)
        each.assert_at_rest()
    assert digest("/dev/md0") == after

    domain = lab.use(Domain("guest", [{"dev": "/dev/md0"}]))
    domain.start()
    pool.fill()
    domain.write(40 * MIB + 512, 512, 0x21, flush=True)
    domain.check(40 * MIB + 512, 512, 0x21)
    domain.check(50 * MIB, 4096, 0x5C)
    domain.destroy()
    pool.assert_at_rest()
    assert get("/dev/md0", 40 * MIB + 512, 512) == b"\x21" * 512
    refused = zraid("vol-create", "md0", "1M", check=False)
    assert refused.rc == 1 and "no volumes" in refused.err, refused
    zraid("resize", "md0", "96M")
    assert get("/dev/md0", 50 * MIB) == b"\x5c" * 8192

    # What was overwritten brings the old array back.
    zraid("undefine", "md7")
    sh(["dd", f"if={IMPORTED}/md7.superblock", f"of={second.image}", "conv=notrunc", "status=none"])
    sh(["truncate", "-s", str(second.size), second.image])
    second.start()
    assert digest("/dev/md7") == second_before
    second.stop()


@zlab.options(timeout=240)
def test_killed(lab: Lab) -> None:
    """Killed in the middle: nothing that the array holds has changed, and the same again imports it."""
    lab.defer(forget, "md4")
    old = OldArray(lab, 4, 64 * MIB)
    old.start(first=True)
    put(old.md, 20 * MIB, 0x44)
    before = digest(old.md)
    old.stop()
    # Its front is all that an import changes.
    front = get(old.image, 0, MIB)
    file = write_config(lab, [{"id": "4", "info": "", "image": str(old.image)}])
    words = ["zraid-pool", "import", str(file), "--apply"]

    def back() -> None:
        zraid("undefine", "md4", check=False)
        sh(["rm", "-rf", IMPORTED, SETTINGS])
        with open(old.image, "r+b") as image:
            image.write(front)
    calls = calls_of(words, Path("/tmp/import.calls"))
    writes = [call for call in calls if call[0] == "pwrite64"][-2:]     # bitmap, superblock
    back()
    for number, call in enumerate([*writes, *chosen(calls, (0.3, 0.5, 0.6, 0.7, 0.85, 0.95))]):
        if kill_at(call, words, may_finish=True) and number == 1:
            # Only the bitmap was written: the old array is what it was.
            saved = (IMPORTED / "md4.superblock").read_bytes()
            assert saved == front[:len(saved)] != get(old.image, 0, len(saved))
        sh(words)
        assert zlab.info("md4")["state"] == "disk-only"
        assert digest("/dev/md4") == before
        saved = (IMPORTED / "md4.superblock").read_bytes()
        assert saved == front[:len(saved)]
        back()
    sh(words)
    pool = Pool("md4", old.image)
    pool.attach_and_fill()
    assert pool.mismatches() == 0
    assert list(DEFINITIONS.glob("*")) == [DEFINITIONS / "md4.xml"]
