"""For authors of lab tests: what a test may use inside the guest.

Importable on the host as well, where only the tests' names and options are read.
See docs/lab.md.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

SHARE = Path("/run/lab/share")      # the folder that guest and host both see
LOG = Path("/run/lab/log")          # this boot's: syslog, libvirtd.log, console
DISK = Path("/srv/lab")             # xfs on the lab's disk; survives reboots
CHECKOUT = Path(__file__).resolve().parents[2]
KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40

_started = time.monotonic()


def say(text: str) -> None:
    """A line for the test's report."""
    print(f"[{time.monotonic() - _started:7.2f}] {text}", flush=True)


# --- writing tests

def options(**chosen: Any) -> Callable:
    """Decorator of a test.

    timeout=SECONDS for each phase (180); fresh=True for a boot and a disk of its own;
    memory=MIB, cpus=N, slow_iops=N (a second disk /dev/vdb, at most N requests a
    second) for another machine than the others use. A step of the fresh host has only
    boot=N, the boot that it belongs to.
    """
    unknown = set(chosen) - {"timeout", "fresh", "memory", "cpus", "slow_iops", "boot"}
    if unknown:
        raise TypeError(f"no such option of a lab test: {', '.join(sorted(unknown))}")

    def mark(function: Callable) -> Callable:
        function.lab_options = chosen
        return function
    return mark


class Reboot(Exception):
    """Ends a phase; the guest then shuts down in an orderly way. See Lab.reboot."""


class Lab:
    """What a test function is called with.

    A test that needs several boots is called once per boot: `phase` counts from 0,
    and `state` is what it gave to reboot() or power_cut() the time before.
    """

    def __init__(self, name: str, phase: int, tell: Callable):
        global _started
        _started = time.monotonic()
        self.name, self.phase = name, phase
        self._tell = tell
        self._deferred: List[Tuple[Callable, tuple]] = []
        self.share = SHARE / "tests" / name     # the host keeps it over a power cut
        self.dir = DISK / name                  # scratch on the lab's disk
        self.dir.mkdir(parents=True, exist_ok=True)
        saved = self.share / "state.json"
        self.state: Dict[str, Any] = json.loads(saved.read_text()) if phase else {}

    def defer(self, function: Callable, *arguments: Any) -> None:
        """Call this when the phase ends, the last one deferred first, whatever happened.

        Not called by a power cut. Register before making the thing that needs it.
        """
        self._deferred.append((function, arguments))

    def use(self, manager: contextlib.AbstractContextManager) -> Any:
        """Enter a context manager until the phase ends."""
        value = manager.__enter__()
        self.defer(manager.__exit__, None, None, None)
        return value

    def reboot(self, **state: Any) -> None:
        """Shut down in order and boot again; then the test is called with phase + 1."""
        self._save(state)
        raise Reboot

    def power_cut(self, after: float = 0.0, wait: bool = True, **state: Any) -> None:
        """Have the host kill the machine `after` seconds from now, then boot again.

        Does not return; threads and processes of the test go on until the cut. With
        wait=False it returns, and the test does what the cut shall hit; it must not
        return before the cut.
        """
        self._save(state)
        self._tell("cut", test=self.name, after=after)
        if wait:
            time.sleep(after + 3600)

    def _save(self, state: Dict[str, Any]) -> None:
        scratch = self.share / "state.new"
        scratch.write_text(json.dumps(state))
        scratch.rename(self.share / "state.json")

    def clean_up(self, keep_going: bool) -> None:
        """Call what was deferred; of several errors the first one counts."""
        first: Optional[BaseException] = None
        while self._deferred:
            function, arguments = self._deferred.pop()
            try:
                function(*arguments)
            except Exception as error:
                say(f"clean-up {getattr(function, '__qualname__', function)}: {error}")
                first = first or error
        if first and not keep_going:
            raise first


# --- running programs

class Done(NamedTuple):
    rc: int
    out: str
    err: str


class CommandError(AssertionError):
    def __init__(self, argv: Sequence[str], done: Done, seconds: float):
        self.argv, self.done = list(argv), done
        super().__init__(f"'{' '.join(argv)}' ended with {done.rc} after {seconds:.1f} s\n"
                         f"stdout: {done.out.strip()[-2000:]}\nstderr: {done.err.strip()[-2000:]}")


def sh(argv: Sequence[Union[str, Path]], check: bool = True, input: Optional[str] = None,
       timeout: float = 120, quiet: bool = False, **more: Any) -> Done:
    """Run a program; (rc, out, err). Another status than 0 raises, unless check=False.

    It and its output go to the test's report. -N is the signal that ended it.
    """
    words = [str(word) for word in argv]
    begun = time.monotonic()
    try:
        run = subprocess.run(words, input=input, stdin=None if input is not None else subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             errors="replace", timeout=timeout, **more)
    except subprocess.TimeoutExpired as late:
        raise AssertionError(f"'{' '.join(words)}' was not done after {timeout:.0f} s\n"
                             f"stdout: {_text(late.stdout)}\nstderr: {_text(late.stderr)}") from None
    seconds = time.monotonic() - begun
    done = Done(run.returncode, run.stdout, run.stderr)
    if not quiet:
        say(f"$ {' '.join(words)}  -> {done.rc} ({seconds:.2f} s)")
        for text in (done.out, done.err):
            for line in text.rstrip().splitlines()[:60]:
                print(f"          | {line[:500]}")
    if check and done.rc != 0:
        raise CommandError(words, done, seconds)
    return done


def _text(data: Union[bytes, str, None]) -> str:
    return (data.decode(errors="replace") if isinstance(data, bytes) else data or "").strip()[-2000:]


def wait_for(condition: Callable[[], Any], what: str, timeout: float = 30) -> Any:
    """Ask every 50 ms until the condition gives something true, and return that.

    A question that takes longer is asked less often: it must not take the processor from what is
    waited for.
    """
    deadline = time.monotonic() + timeout
    while True:
        asked = time.monotonic()
        value = condition()
        if value:
            return value
        now = time.monotonic()
        if now > deadline:
            raise AssertionError(f"not within {timeout:.0f} s: {what} (last: {value!r})")
        time.sleep(max(0.05, now - asked))


def virsh(*words: Union[str, Path], **more: Any) -> Done:
    return sh(["virsh", "-q", *words], **more)


def zraid(*words: Union[str, Path], **more: Any) -> Done:
    """zraid-pool with these arguments."""
    return sh(["zraid-pool", *words], **more)


def info(pool: str) -> Dict[str, Any]:
    return json.loads(zraid("info", pool, "--json", quiet=True).out)


def wait_state(pool: str, state: str, timeout: float = 60) -> Dict[str, Any]:
    """Wait until the pool is in this state, and return its info."""
    last: Dict[str, Any] = {}

    def reached() -> bool:
        last.clear()
        last.update(info(pool))
        return last["state"] == state
    wait_for(reached, f"pool {pool} {state}, but {last.get('state')}", timeout)
    say(f"{pool}: {state}")
    return last


# --- kernel

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


def _blocks(pattern: str) -> List[str]:
    return sorted(path.name for path in Path("/sys/block").glob(pattern))


def loops() -> Dict[str, str]:
    """Attached loop devices and what is behind them."""
    attached = {}
    for name in _blocks("loop*"):
        with contextlib.suppress(OSError):
            attached[name] = read(f"/sys/block/{name}/loop/backing_file")
    return attached


def detach_loop(device: str) -> None:
    """The kernel lets go at the last close, and udev may be looking at it."""
    sh(["losetup", "--detach", device])
    wait_for(lambda: name_of(device) not in loops(), f"{device} is detached")


def zrams() -> List[str]:
    """All zram devices."""
    return _blocks("zram*")


def mds() -> Dict[str, str]:
    """md arrays and their array_state (clean, active, read-auto, inactive, ...)."""
    states = {}
    for name in _blocks("md*"):
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
    for pid in _daemon_pids(name):
        for link in Path(f"/proc/{pid}/fd").glob("*"):
            with contextlib.suppress(OSError):
                if os.readlink(link) == wanted:
                    return True
    return False


# --- libvirt

def _daemon_pids(name: str) -> List[int]:
    return [int(pid) for pid in sh(["pgrep", "-x", name], check=False, quiet=True).out.split()]


def kill_libvirtd(signal_number: int = 9) -> None:
    """End libvirtd (running domains stay) and wait until it is gone."""
    for pid in _daemon_pids("libvirtd"):
        os.kill(pid, signal_number)
    wait_for(lambda: not _daemon_pids("libvirtd"), "libvirtd ended")


def start_libvirtd() -> None:
    """Start virtlogd and libvirtd if they do not run, and wait until libvirtd answers."""
    sh([CHECKOUT / "tests" / "lab" / "guest" / "libvirtd-up"], timeout=150)


def syslog() -> str:
    """Everything that programs have sent to syslog in this boot."""
    path = LOG / "syslog"
    return path.read_text(errors="replace") if path.exists() else ""


# A guest without an operating system. It waits without using the processor and
# obeys: the power button, and the keys o (power off by itself), p (panic, through
# the pvpanic device) and r (reset). 16-bit code for libvirt's machine type pc.
BOOT_SECTOR_OBEY = bytes([
    0xFA, 0x31, 0xC0, 0x8E, 0xD8, 0x8E, 0xD0, 0xBC, 0x00, 0x7C,     # cli; ds = ss = 0; sp = 7c00
    0xBA, 0x02, 0x06, 0xB8, 0x00, 0x01, 0xEF,                       # out 602, 100: enable the button
    0xFB, 0xF4,                                     # 11 wait: sti; hlt (until the next timer tick)
    0xBA, 0x00, 0x06, 0xED, 0xF6, 0xC4, 0x01,       # 13 in ax, 600; test ah, 1
    0x75, 0x18,                                     # 1a jnz off
    0xB4, 0x01, 0xCD, 0x16,                         # 1c int 16, ah = 1: a key?
    0x74, 0xEF,                                     # 20 jz wait
    0xB4, 0x00, 0xCD, 0x16,                         # 22 int 16, ah = 0: take it
    0x3C, 0x6F, 0x74, 0x0A,                         # 26 'o': off
    0x3C, 0x70, 0x74, 0x0F,                         # 2a 'p': panic
    0x3C, 0x72, 0x74, 0x13,                         # 2e 'r': reset
    0xEB, 0xDD,                                     # 32 jmp wait
    0xBA, 0x04, 0x06, 0xB8, 0x00, 0x20, 0xEF,       # 34 off: out 604, 2000: soft off
    0xEB, 0xD4,                                     # 3b jmp wait
    0xBA, 0x05, 0x05, 0xB0, 0x01, 0xEE,             # 3d panic: out 505, 1
    0xEB, 0xCC,                                     # 43 jmp wait
    0xB0, 0xFE, 0xE6, 0x64,                         # 45 reset: out 64, fe
    0xEB, 0xC6,                                     # 49 jmp wait
])


# A guest that only does what qemu-io has its disks do runs no BIOS, which would take seconds of an
# emulated processor: where that begins (16 bytes below the end), interrupts off and wait.
IDLE_BIOS = bytes([0xF4] * 0xFFF0 + [0xFA, 0xF4, 0xEB, 0xFD]).ljust(0x10000, b"\xF4")


def boot_sector(code: bytes) -> bytes:
    if len(code) > 510:
        raise ValueError(f"{len(code)} bytes do not fit a boot sector")
    return code.ljust(510, b"\0") + b"\x55\xaa"


class QemuIoError(AssertionError):
    pass


@dataclass
class Domain:
    """A tiny libvirt domain (QEMU's emulation, 32 MiB, no operating system).

    Disks are dicts: {'pool': P, 'volume': V}, {'dev': PATH} or {'file': PATH}; with
    'xml': TEXT more elements go into the <disk>. The first is vda with the alias
    virtio-disk0, and so on. The domain boots from the boot sector, if there is one.
    """
    name: str
    disks: List[Dict[str, str]] = field(default_factory=list)
    boot_sector: Optional[bytes] = None
    on_poweroff: str = "destroy"
    on_reboot: str = "destroy"
    on_crash: str = "destroy"
    memory: int = 32                # MiB
    uuid: str = ""
    serial: Optional[Path] = None   # file that its serial port writes to

    def __enter__(self) -> "Domain":
        return self

    def __exit__(self, *_: Any) -> None:
        self.remove()

    @property
    def boot_image(self) -> Path:
        return DISK / "boot-sectors" / f"{self.name}.img"

    def loader(self) -> str:
        if self.boot_sector is not None:
            return ""
        path = self.boot_image.with_name("idle.rom")
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(IDLE_BIOS)
        return f"<loader readonly='yes' type='rom'>{path}</loader>"

    @property
    def log(self) -> Path:
        return Path("/var/log/libvirt/qemu") / f"{self.name}.log"

    def disk_xml(self, index: int, disk: Dict[str, str]) -> str:
        if "volume" in disk:
            kind, source = "volume", f"<source pool='{disk['pool']}' volume='{disk['volume']}'/>"
        elif "dev" in disk:
            kind, source = "block", f"<source dev='{disk['dev']}'/>"
        else:
            kind, source = "file", f"<source file='{disk['file']}'/>"
        return (f"<disk type='{kind}' device='disk'>"
                f"<driver name='qemu' type='raw' cache='none' io='threads'"
                f" discard='unmap' detect_zeroes='unmap'/>"
                f"{source}<target dev='vd{chr(ord('a') + index)}' bus='virtio'/>{disk.get('xml', '')}</disk>")

    def xml(self) -> str:
        disks = [self.disk_xml(index, disk) for index, disk in enumerate(self.disks)]
        if self.boot_sector is not None:
            disks.append(self.disk_xml(25, {"file": str(self.boot_image), "xml": "<boot order='1'/>"}))
        identity = f"<uuid>{self.uuid}</uuid>" if self.uuid else ""
        serial = (f"<serial type='file'><source path='{self.serial}' append='on'/></serial>"
                  if self.serial else "")
        # qemu-io's answers go to QEMU's standard output, and only line buffering
        # makes them leave QEMU at once.
        environment = ("<qemu:commandline>"
                       "<qemu:env name='LD_PRELOAD' value='/usr/libexec/coreutils/libstdbuf.so'/>"
                       "<qemu:env name='_STDBUF_O' value='L'/></qemu:commandline>")
        return (f"<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"
                f"<name>{self.name}</name>{identity}"
                f"<memory unit='MiB'>{self.memory}</memory><vcpu>1</vcpu>"
                f"<os><type arch='x86_64' machine='pc'>hvm</type>{self.loader()}</os><features><acpi/></features>"
                f"<on_poweroff>{self.on_poweroff}</on_poweroff><on_reboot>{self.on_reboot}</on_reboot>"
                f"<on_crash>{self.on_crash}</on_crash>"
                f"<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>"
                f"{''.join(disks)}<controller type='usb' model='none'/>"
                f"{serial}<memballoon model='none'/><panic model='isa'/></devices>{environment}</domain>")

    def define(self) -> "Domain":
        if self.boot_sector is not None:
            self.boot_image.parent.mkdir(exist_ok=True)
            self.boot_image.write_bytes(boot_sector(self.boot_sector).ljust(MIB, b"\0"))
        virsh("define", "/dev/stdin", input=self.xml())
        return self

    def start(self, check: bool = True, timeout: float = 120) -> Done:
        if not self.defined():
            self.define()
        return virsh("start", self.name, check=check, timeout=timeout)

    def defined(self) -> bool:
        return virsh("dominfo", self.name, check=False, quiet=True).rc == 0

    def state(self) -> str:
        """'running', 'shut off', ..., or '' when there is no such domain."""
        return virsh("domstate", self.name, check=False, quiet=True).out.strip()

    def wait_state(self, state: str, timeout: float = 30) -> None:
        wait_for(lambda: self.state() == state, f"domain {self.name} {state}", timeout)

    def destroy(self) -> None:
        virsh("destroy", self.name)

    def remove(self) -> None:
        """Destroy and undefine, if it is there; for cleaning up."""
        if self.state() not in ("", "shut off"):
            virsh("destroy", self.name, check=False)
        if self.defined():
            virsh("undefine", self.name, "--managed-save", check=False)
        self.boot_image.unlink(missing_ok=True)

    def hmp(self, command: str, quiet: bool = False) -> str:
        """A command for QEMU's human monitor."""
        return virsh("qemu-monitor-command", self.name, "--hmp", command, quiet=quiet).out

    def press(self, key: str) -> None:
        self.wait_booted()
        virsh("send-key", self.name, f"KEY_{key.upper()}")

    def wait_booted(self, timeout: float = 60) -> None:
        """Wait until the boot sector runs: the BIOS before it takes seconds."""
        wait_for(lambda: "EIP=00007c" in self.hmp("info registers", quiet=True),
                 f"domain {self.name} runs its boot sector", timeout)

    # What a guest may do to itself; needs boot_sector=BOOT_SECTOR_OBEY.
    def power_off_itself(self) -> None:
        self.press("o")

    def panic(self) -> None:
        self.press("p")

    def reset_itself(self) -> None:
        self.press("r")

    def press_power_button(self) -> None:
        self.wait_booted()
        virsh("shutdown", self.name, "--mode", "acpi")

    # Input and output as the guest's device does it.
    def qemu_io(self, command: str, disk: Union[int, str] = 0, timeout: float = 60) -> str:
        """Run a qemu-io command on a disk (number or alias) and return what it printed.

        Errors raise QemuIoError, but for 'flush', which tells of none: use
        write(…, flush=True) where a failing flush must be noticed.
        """
        alias = f"virtio-disk{disk}" if isinstance(disk, int) else disk
        device = f"/machine/peripheral/{alias}/virtio-backend"
        # The monitor answers nothing; the text goes to the domain's log, by way of
        # virtlogd. A command that does not exist leaves a line there, which tells
        # that everything before it has arrived.
        mark = f"mark-{time.monotonic_ns()}"
        before = self.log.stat().st_size
        answer = virsh("; ".join(
            f"qemu-monitor-command {self.name} --hmp 'qemu-io -d {device} \"{words}\"'"
            for words in (command, mark)), quiet=True, timeout=timeout).out
        if "Error:" in answer:
            raise QemuIoError(f"{self.name} {alias}: qemu-io {command}: {answer.strip()}")

        def printed() -> str:
            with open(self.log, "rb") as log:
                log.seek(before)
                text = log.read().decode(errors="replace")
            return text if mark in text else ""
        text = wait_for(printed, f"an answer to qemu-io {command}", timeout)
        lines = [line for line in text.splitlines() if mark not in line and " tainted: " not in line]
        result = "\n".join(lines)
        say(f"{self.name} {alias}: qemu-io {command}  -> {result!r}")
        if re.search(r"failed|not found|rror|nvalid|annot|expect|argument|out of range", result):
            raise QemuIoError(f"{self.name} {alias}: qemu-io {command}: {result}")
        if re.match(r"(aio_)?(read|write)", command) and not re.search(r"^(read|wrote) ", result, re.M):
            raise QemuIoError(f"{self.name} {alias}: qemu-io {command}: no success reported: {result!r}")
        return result

    def write(self, offset: int, length: int, pattern: int, disk: Union[int, str] = 0,
              flush: bool = False) -> None:
        """Fill with a byte; flush=True: return when it is on stable storage."""
        self.qemu_io(f"write {'-f ' if flush else ''}-P {pattern:#x} {offset} {length}", disk)

    def check(self, offset: int, length: int, pattern: int, disk: Union[int, str] = 0) -> None:
        """Read through the guest's device and compare with a byte."""
        self.qemu_io(f"read -P {pattern:#x} {offset} {length}", disk)

    def flush(self, disk: Union[int, str] = 0) -> None:
        self.qemu_io("flush", disk)


# --- what a test must not leave behind

@dataclass
class Baseline:
    """The guest before the first test."""
    zrams: List[str]
    taint: int

    @classmethod
    def now(cls) -> "Baseline":
        return cls(zrams(), int(read("/proc/sys/kernel/tainted")))


def leftovers(before: Baseline) -> List[str]:
    """One line for each thing that is there now and should not be."""
    found = [f"md array {name} ({state})" for name, state in mds().items()]
    found += [f"loop device {name} on {file}" for name, file in loops().items()]
    found += [f"device-mapper device {name} ({read(f'/sys/block/{name}/dm/name')})" for name in _blocks("dm-*")]
    for name in zrams():
        # Loading the module makes zram0; unused, it is nobody's.
        fresh = name == "zram0" and read("/sys/block/zram0/disksize") == "0"
        if name not in before.zrams and not fresh:
            found.append(f"zram device {name}")
    found += [f"file {path}" for folder in ("/run/zraid/claims", "/etc/zraid/pools")
              for path in sorted(Path(folder).glob("*"))]
    found += [f"mount {line.split()[1]}" for line in read("/proc/mounts").splitlines()
              if line.split()[1].startswith("/srv/lab/")]
    if not _daemon_pids("systemd-udevd"):
        found.append("no udevd")
    for kind, words in (("domain", ["list", "--all", "--name"]), ("storage pool", ["pool-list", "--all", "--name"])):
        answer = virsh(*words, check=False, quiet=True, timeout=30)
        if answer.rc != 0:
            found.append(f"a libvirtd that does not answer: {answer.err.strip()}")
            break
        found += [f"libvirt {kind} {name}" for name in answer.out.split("\n") if name.strip()]
    # A kernel warning (with a trace on the console) is nobody's intention.
    warning = 1 << 9
    if int(read("/proc/sys/kernel/tainted")) & ~before.taint & warning:
        found.append("a warning of the kernel; see dmesg")
    return found


def remove_scratch(name: str) -> None:
    shutil.rmtree(DISK / name, ignore_errors=True)
