"""What tests of pools share: a pool that goes when the test ends, the hook called by hand,
a picture of everything that must not change.

Importable on the host as well, like zlab.
"""

import errno
import hashlib
import json
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Union

import zlab
from zlab import MIB, Domain, Done, Lab, sh, sysfs, virsh, wait_for, zraid

HOOK = Path("/etc/libvirt/hooks/qemu.d/zraid")
DEFINITIONS = Path("/etc/zraid/pools")
CLAIMS = Path("/run/zraid/claims")
DATA_OFFSET = MIB                   # of the array in the image


# --- pools

class Now(NamedTuple):
    """What matters most of a pool at one moment."""
    state: str
    users: List[str]                # names of the domains, sorted
    ram: str                        # the very RAM leg (a later one has another number), "" for none


class Pool:
    def __init__(self, name: str, image: Path):
        self.name, self.image = name, image
        self._md = ""

    def info(self) -> Dict[str, Any]:
        return zlab.info(self.name)

    def now(self) -> Now:
        while True:
            info = self.info()
            leg = info["ram"]["device"] if info["ram"] else ""
            try:
                return Now(info["state"], sorted(user["name"] for user in info["users"]),
                           f"{leg} {sysfs(leg, 'diskseq')}" if leg else "")
            except FileNotFoundError:
                pass                # the device went between the two looks

    @property
    def md(self) -> str:
        """The array's device, /dev/mdN."""
        self._md = self._md or self.info()["md"]
        return self._md

    def attach_and_fill(self) -> None:
        zraid("attach", self.name)
        self.fill()

    def fill(self) -> Now:
        """Wait until it is mirrored."""
        zraid("wait", self.name, "--timeout", "60")
        now = self.now()
        assert now.state == "mirrored", now
        return now

    def wait_compared(self, timeout: float = 60) -> Dict[str, Any]:
        """Wait until the disk leg is back, and was compared, and return the pool's info. Where the
        legs differ it is taken out once more in between, to be copied to: one look has to tell."""
        def compared() -> Dict[str, Any]:
            info = self.info()
            return info if info["state"] == "mirrored" and not info["disk"]["in_doubt"] else {}
        return wait_for(compared, f"the legs of {self.name} are compared", timeout)

    def add_volume(self, size: str = "20M") -> str:
        """A volume made through libvirt; the path of its device."""
        before = set(volumes(self.name))
        zraid("vol-create", self.name, size)
        (new,) = set(volumes(self.name)) - before
        return f"/dev/{new}"

    def add_partition(self, start: str = "4MiB", end: str = "100%", number: int = 1) -> str:
        """The same by hand, which takes less time and serves pools that libvirt does not know."""
        sh(["parted", "--script", self.md, "mkpart", f"part{number}", start, end])
        return wait_for_device(f"{self.md}p{number}")

    def mismatches(self, timeout: float = 60) -> int:
        """Let md compare the legs, all of them; the number of sectors that differ."""
        name = zlab.name_of(self.md)
        attribute = Path("/sys/block") / name / "md"

        def begun() -> bool:
            # EBUSY while md's thread has not yet put away what it did before.
            try:
                (attribute / "sync_action").write_text("check")
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                return False
            return True
        wait_for(begun, f"the check of {name} begins")
        wait_for(lambda: zlab.read(attribute / "sync_action") == "idle", f"the check of {name}", timeout)
        assert zlab.read(attribute / "last_sync_action") == "check"
        return int(zlab.read(attribute / "mismatch_cnt"))

    # Two looks past zraid-pool: quicker, and not in its words.
    def legs(self) -> Dict[str, str]:
        """Members of the array and what md says of each."""
        folder = Path("/sys/block") / zlab.name_of(self.md) / "md"
        legs = {}
        for leg in folder.glob("dev-*"):
            with suppress(OSError):     # it is just being removed
                legs[leg.name[len("dev-"):]] = zlab.read(leg / "state")
        return legs

    def claimed_by(self) -> List[str]:
        """UUIDs of the domains that claim it."""
        return sorted(file.stem for file in (CLAIMS / self.name).glob("*.json"))

    def assert_at_rest(self) -> None:
        """Assembled on its disk leg, no claim, no zram: as between two runs of domains."""
        legs = self.legs()
        assert [name[:4] for name in legs] == ["loop"], legs
        assert all("in_sync" in state for state in legs.values()), legs
        assert self.claimed_by() == [] and not (CLAIMS / self.name).exists()
        assert not Path(f"/run/zraid/ram/{self.name}.json").exists()


def make_pool(lab: Lab, name: str, size: str = "64M", *options: Union[str, Path],
              image: Optional[Path] = None) -> Pool:
    """Define a pool that is undefined, its image removed, when the test ends."""
    pool = Pool(name, image or lab.dir / f"{name}.img")
    lab.defer(drop_pool, name)
    zraid("define", name, "--image", pool.image, "--size", size, *options)
    return pool


def drop_pool(name: str) -> None:
    if (DEFINITIONS / f"{name}.xml").exists():
        zraid("undefine", name, "--remove-image", "--yes")


def volumes(pool: str) -> Dict[str, int]:
    """Names of the volumes and their sizes in bytes, as zraid-pool tells them."""
    found = json.loads(zraid("vol-list", pool, "--json", quiet=True).out)
    return {volume["name"]: volume["size_bytes"] for volume in found}


def wait_for_device(path: str) -> str:
    wait_for(Path(path).is_block_device, f"{path} is there")
    return path


def sparse(path: Path, size: int) -> Path:
    with open(path, "wb") as file:
        file.truncate(size)
    return path


# --- data

def put(device: Union[str, Path], offset: int, byte: int, length: int = 8192) -> None:
    """Fill part of a device or file with a byte and have it on stable storage."""
    fd = os.open(device, os.O_WRONLY)
    try:
        assert os.pwrite(fd, bytes([byte]) * length, offset) == length
        os.fsync(fd)
    finally:
        os.close(fd)


def get(device: Union[str, Path], offset: int, length: int = 8192) -> bytes:
    with open(device, "rb") as stream:
        stream.seek(offset)
        return stream.read(length)


def place_in_image(partition: str, offset: int) -> int:
    """Where a byte of a partition lies in the pool's image."""
    return DATA_OFFSET + int(sysfs(partition, "start")) * 512 + offset


# --- the hook

def hook(domain: str, operation: str, sub_operation: str, xml: str = "", **more: Any) -> Done:
    return sh([HOOK, domain, operation, sub_operation, "-"], input=xml, check=False, **more)


def prepare(domain: Domain) -> Done:
    """libvirt's prepare begin for a domain, which is not started."""
    return hook(domain.name, "prepare", "begin", with_uuid(domain).xml())


def release(domain: Domain) -> Done:
    return hook(domain.name, "release", "end", with_uuid(domain).xml())


def with_uuid(domain: Domain) -> Domain:
    """libvirt has given every domain a UUID before it calls a hook."""
    if not domain.uuid:
        digits = hashlib.md5(domain.name.encode()).hexdigest()
        domain.uuid = "-".join(digits[a:b] for a, b in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32)))
    return domain


def assert_silent(done: Done) -> None:
    """It worked and had nothing to say."""
    assert done == Done(0, "", ""), done


def assert_one_line(done: Done, rc: int, *words: str) -> None:
    """This exit code, nothing on stdout, and on stderr one line that has all these words."""
    assert done.rc == rc, f"exit code {done.rc}, not {rc}: {done.err!r}"
    assert done.out == "", f"stdout: {done.out!r}"
    assert done.err.count("\n") == 1 and done.err.endswith("\n"), f"not one line: {done.err!r}"
    missing = [word for word in words if word.lower() not in done.err.lower()]
    assert not missing, f"no {missing} in {done.err!r}"


# --- observing

class Watch(threading.Thread):
    """Asks a question again and again, from entering to leaving, and keeps the answers."""

    def __init__(self, question: Callable[[], Any]):
        super().__init__(daemon=True)
        self._question = question
        self._stop_asking = threading.Event()
        self.asked = 0
        self.answers: set = set()

    def run(self) -> None:
        while not self._stop_asking.wait(0.02):
            answer = self._question()
            if answer is not None:
                self.answers.add(answer)
            self.asked += 1

    def __enter__(self) -> "Watch":
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._stop_asking.set()
        self.join()


def files_below(folder: Path, content: bool = True) -> Dict[str, str]:
    """Everything in a folder with its mode, size and content (or time of its last change)."""
    picture = {}
    # The kernel writes to these on its own.
    busy = {os.stat(file).st_ino for file in zlab.loops().values() if os.path.exists(file)}
    for path in sorted(folder.rglob("*")) if folder.exists() else []:
        status = path.lstat()
        detail = f"{status.st_mode:o} {status.st_uid}"
        if path.is_symlink():
            detail += f" -> {os.readlink(path)}"
        elif path.is_file():
            detail += f" {status.st_size} "
            detail += (hashlib.md5(path.read_bytes()).hexdigest() if content else
                       f"{status.st_ino}" if status.st_ino in busy else
                       f"{status.st_ino} {status.st_blocks} {status.st_mtime_ns}")
        picture[str(path)] = detail
    return picture


def system(*images: Path) -> Dict[str, Any]:
    """Everything that a command which fails must leave as it was.

    libvirt's pools are taken from its files, which is quicker than asking it.
    """
    running = {"active", "active-idle", "clean", "write-pending"}       # it goes to and fro
    picture: Dict[str, Any] = {
        "loops": zlab.loops(),
        "arrays": {name: "running" if state in running else state for name, state in zlab.mds().items()},
        "zrams": {name: f"{sysfs(name, 'diskseq')} {sysfs(name, 'disksize')}" for name in zlab.zrams()}}
    for folder in ("/etc/zraid", "/run/zraid/claims", "/run/zraid/ram",
                   "/etc/libvirt/storage", "/run/libvirt/storage"):
        picture.update(files_below(Path(folder)))
    for folder in images:
        picture.update(files_below(folder, content=False))
    return picture


def assert_same(before: Dict[str, Any], after: Dict[str, Any]) -> None:
    changed = {key: (before.get(key), after.get(key))
               for key in sorted({*before, *after}) if before.get(key) != after.get(key)}
    assert not changed, f"changed: {changed}"


def storage_pools() -> Dict[str, List[str]]:
    """libvirt's pools: name -> [active or inactive, yes or no for autostart]."""
    lines = [line.split() for line in virsh("pool-list", "--all", quiet=True).out.splitlines()]
    return {words[0]: words[1:] for words in lines if words}


def process_arguments(words: Sequence[str]) -> List[int]:
    """Processes whose command line begins with these words."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if arguments[:len(words)] == list(words):
            found.append(int(folder.name))
    return found
