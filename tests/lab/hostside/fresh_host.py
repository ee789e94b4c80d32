"""`lab fresh`: a Debian host of its own, with systemd and AppArmor, on which the package is installed.

Its root is made by mmdebstrap: a small Debian, libvirt and QEMU, and what the package says that it
depends on, nothing else of ours. It is made once for each list of packages. The steps of
tests/lab/fresh/ then run in it, in their order; a step may reboot it.
"""

import hashlib
import json
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List

from . import runs
from .assets import CHECKOUT, PRODUCT, Assets, LabError, locked, make_disk, make_package, program, run
from .machine import Machine, Place, Spec, disk, machine_arguments, share

SUITE = "bookworm"
# A host for virtual machines as an administrator has it before zraid comes. With LVM, which must not
# take up what guests write, and Python, in which the steps are written.
HOST_PACKAGES = [
    "apparmor", "dbus", "e2fsprogs", "libvirt-clients", "libvirt-daemon-driver-qemu",
    "libvirt-daemon-system", "lvm2", "procps", "python3", "python3-libvirt", "qemu-system-x86", "qemu-utils",
    "systemd-sysv", "udev", "xfsprogs",
]
STEPS = "tests/lab/fresh/test_host.py"
ROOT_SIZE = 4 << 30
# A second disk, for what LVM must go on doing elsewhere.
OTHER_SIZE = 64 << 20
STEP_LIMIT = 960
BOOT_LIMIT = 300
SHUTDOWN_LIMIT = 120

FILES = {
    "etc/hostname": "fresh\n",
    # Without one systemd takes the boot for the first of all, and enables every unit there is.
    "etc/machine-id": "3f1d5b0e8a7c4d2f9b6e0a1c2d3e4f50\n",
    "etc/fstab": "LABEL=root / ext4 defaults 0 1\n"
                 # Not waited for by the boot as a whole: a pool has to wait for it by itself.
                 "LABEL=lab /srv/lab xfs nofail 0 2\n"
                 "LABEL=absent /srv/absent xfs nofail,x-systemd.device-timeout=3s 0 2\n",
    "etc/systemd/system/lab.service":
        "[Unit]\nAfter=multi-user.target\n"
        "[Service]\nExecStart=/usr/bin/python3 /run/lab/code/guest/fresh_runner.py\n"
        "[Install]\nWantedBy=multi-user.target\n",
    # Every denial is to be seen.
    "etc/sysctl.d/lab.conf": "kernel.printk_ratelimit=0\n",
}
# Nobody logs in, and nothing is fetched.
MASKED = ["getty@tty1.service", "serial-getty@ttyS0.service", "apt-daily.timer", "apt-daily-upgrade.timer"]


def depends_of(package: Path) -> List[str]:
    """The first alternative of each dependency of a Debian package, without versions."""
    text = run(["dpkg-deb", "--field", str(package), "Depends"])
    return [re.sub(r"[ (|].*", "", part.strip()) for part in text.split(",")]


def make_root(assets: Assets, package: Path) -> Path:
    """The root disk, shared by all build directories: never written, only stood upon."""
    packages = sorted({*HOST_PACKAGES, *depends_of(package)})
    made_of = [SUITE, *packages, *MASKED, *FILES.keys(), *FILES.values()]
    digest = hashlib.sha256("\0".join(made_of).encode()).hexdigest()[:16]
    disk = assets.folder / f"fresh-{digest}.raw"
    with locked(assets.folder / "fresh.lock"):
        if disk.exists():
            disk.touch()
            return disk
        begun = time.monotonic()
        print("lab: making the root of the fresh host (once)", flush=True)
        root, scratch = assets.folder / "fresh.root", assets.folder / "fresh.new"
        # It holds no mounts: mmdebstrap ends them with its own.
        shutil.rmtree(root, ignore_errors=True)
        run([program("mmdebstrap"), "--quiet", "--mode=root", "--variant=minbase", "--format=directory",
             *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "locale", "man")),
             f"--include={','.join(packages)}", SUITE, str(root)], timeout=1200)
        furnish(root)
        scratch.unlink(missing_ok=True)
        run([program("mke2fs"), "-q", "-t", "ext4", "-L", "root", "-m", "0", "-d", str(root), str(scratch),
             str(ROOT_SIZE >> 10)])
        shutil.rmtree(root)
        for old in assets.folder.glob("fresh-*.raw"):
            # One that was made for other packages may be in use right now.
            if old.stat().st_mtime < time.time() - 86400:
                old.unlink()
        scratch.rename(disk)
        print(f"lab: made in {time.monotonic() - begun:.0f} s", flush=True)
    return disk


def furnish(root: Path) -> None:
    for name, text in FILES.items():
        (root / name).write_text(text)
    units = root / "etc/systemd/system"
    for name in MASKED:
        (units / name).symlink_to("/dev/null")
    wants = units / "multi-user.target.wants"
    wants.mkdir(exist_ok=True)
    (wants / "lab.service").symlink_to("/etc/systemd/system/lab.service")
    # The journal outlives a boot, so that the next one can look at how the host shut down.
    (root / "var/log/journal").mkdir(exist_ok=True)


class FreshMachine(Machine):
    def arguments(self) -> List[str]:
        # Not tsc=reliable: on a machine with other work the kernel may take the counter for three
        # times as fast as it is, and then systemd's time limits are over too soon.
        words = ["apparmor=1", "security=apparmor", "systemd.show_status=1"]
        arguments = machine_arguments(self.assets, self.place, self.spec, self.boot, words)
        arguments += share("modules", self.assets.modules) + share("code", CHECKOUT / "tests" / "lab")
        for name, file, form in (("root", "root.qcow2", "qcow2"), ("other", "other.raw", "raw")):
            arguments += disk(name, self.place.build / file, form=form)
        return arguments


@dataclass
class Step:
    test: runs.Test
    boot: int


def steps() -> List[Step]:
    tests = runs.tests_of(CHECKOUT / STEPS)
    if tests[0].problem:
        raise LabError(f"the steps cannot be loaded\n{tests[0].problem}")
    return [Step(test, int(test.options.get("boot", 0))) for test in tests]


class FreshHost:
    """One host, from its first boot to its last, and the tally of its steps."""

    def __init__(self, place: Place, spec: Spec):
        self.place, self.spec, self.assets = place, spec, Assets()
        self.tally = runs.Tally(place)
        self.waiting = steps()
        self.total = len(self.waiting)
        self.boots = 0

    def run(self) -> int:
        try:
            self._prepare()
            while self.waiting:
                self._boot()
        except (LabError, subprocess.TimeoutExpired) as error:
            print(f"lab: {error}", flush=True)
        finally:
            for path in (self.place.build / "root.qcow2", self.place.build / "other.raw", self.place.disk):
                path.unlink(missing_ok=True)
        # Whatever kept a step from being run, it has not passed.
        failed = self.total - self.tally.passed
        print(f"{self.tally.passed} passed, {failed} failed")
        return 0 if failed == 0 else 1

    def _prepare(self) -> None:
        self.assets.prepare_fresh()
        if not (PRODUCT / "CMakeCache.txt").exists():
            raise LabError("nothing is built in build/dev; run cmake --preset dev && cmake --build --preset dev")
        make_package(self.place.build)
        package = self.place.build / "zraid.deb"
        root = make_root(self.assets, package)
        shutil.rmtree(self.place.share, ignore_errors=True)
        (self.place.share / "tests").mkdir(parents=True)
        shutil.copy(package, self.place.share)
        make_disk(self.place.disk, self.spec.disk_size)
        other = self.place.build / "other.raw"
        other.unlink(missing_ok=True)
        with open(other, "wb") as file:
            file.truncate(OTHER_SIZE)
        run([program("qemu-img"), "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(root.resolve()),
             str(self.place.build / "root.qcow2")])

    def _boot(self) -> None:
        """Boot once and run the steps that belong to this boot."""
        self.boots += 1
        machine = FreshMachine(self.assets, self.place, self.spec, self.boots)
        machine.log.mkdir(parents=True)
        (machine.log / "plan.json").write_text(json.dumps(
            [{"name": step.test.name, "file": step.test.function, "function": step.test.function}
             for step in self.waiting if step.boot == self.waiting[0].boot]))
        machine.start("fresh")
        try:
            self._follow(machine)
        finally:
            machine.kill()

    def _follow(self, machine: Machine) -> None:
        limit, pending = BOOT_LIMIT, b""
        begun = time.monotonic()
        while True:
            data = machine.read(1.0)
            if data is None:
                raise LabError("the host died\n" + machine.last_words())
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                event = json.loads(line)
                if event["event"] == "done":
                    self._shut_down(machine)
                    return
                self._take(event, time.monotonic() - begun, machine)
                begun, limit = time.monotonic(), STEP_LIMIT
            if time.monotonic() - begun > limit:
                machine.show_blocked_tasks()
                raise LabError("the host hangs\n" + machine.last_words())

    def _take(self, event: Dict[str, str], seconds: float, machine: Machine) -> None:
        if event["event"] == "up":
            print(f"boot {machine.boot}: up after {seconds:.1f} s", flush=True)
            return
        step = self.waiting.pop(0)
        step.test.seconds = seconds
        self.tally.add(step.test, event["why"], event.get("evidence", ""), machine.console)

    def _shut_down(self, machine: Machine) -> None:
        begun = time.monotonic()
        if not machine.wait(SHUTDOWN_LIMIT):
            machine.show_blocked_tasks()
            raise LabError(f"the host is not down after {SHUTDOWN_LIMIT} s\n" + machine.last_words(60))
        seconds = time.monotonic() - begun
        (machine.log / "shutdown-seconds").write_text(f"{seconds:.1f}\n")
        print(f"boot {machine.boot}: down after {seconds:.1f} s", flush=True)
