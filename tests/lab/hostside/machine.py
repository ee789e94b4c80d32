"""One boot of the lab's virtual machine."""

import ctypes
import json
import os
import re
import select
import shlex
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Optional, Tuple

from .assets import CHECKOUT, GUEST, Assets, LabError, program


@dataclass(frozen=True)
class Spec:
    """The hardware of a boot. Tests that ask for another one get a boot of their own."""
    memory: int = 4096              # MiB
    cpus: int = 2
    disk_size: int = 40 << 30       # bytes, sparse
    # Further disks, /dev/vdb and on, that take at most so many requests a second.
    slow_iops: Tuple[int, ...] = ()


@dataclass
class Place:
    """The files of a lab's build directory. Machines that run side by side have disks of their own."""
    build: Path
    number: int = 0
    share: Path = field(init=False)
    disk: Path = field(init=False)
    reports: Path = field(init=False)

    def __post_init__(self) -> None:
        self.share = self.build / "share"
        self.disk = self.build / f"disk{self.number}.raw"
        self.reports = self.build / "reports"

    def slow_disk(self, index: int) -> Path:
        return self.build / f"slow{self.number}-{index}.raw"


def side_by_side() -> int:
    """How many machines of the default size are quicker than one.

    A machine has two processors, and keeps them busy now and then. Measured on two threads of one
    core: two tests took 181 s one after the other, 223 s in two machines side by side.
    """
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(2, (os.cpu_count() or 1) // 4, memory // (6 << 30)))


def can_use_kvm() -> bool:
    # A /dev/kvm alone is no proof: inside some containers and VMs it exists and
    # no kernel boots with it.
    flags = Path("/proc/cpuinfo").read_text()
    return (" vmx " in flags or " svm " in flags) and os.access("/dev/kvm", os.R_OK | os.W_OK)


# No write cache is lost with QEMU: what the guest's kernel has handed to its disk is in the host's
# page cache, so flushes need not reach the host's disk.
DRIVE = "if=none,cache=unsafe,discard=unmap"
KERNEL_WORDS = [
    "console=ttyS0", "panic=-1", "oops=panic", "quiet", "loglevel=4", "sysrq_always_enabled",
    "mitigations=off", "nokaslr", "random.trust_cpu=on", "no_timer_check",
]


def machine_arguments(assets: Assets, place: Place, spec: Spec, boot: int, kernel_words: List[str]) -> List[str]:
    """QEMU's command line of any lab: processors, memory, kernel, the share, the lab's disk."""
    if can_use_kvm():
        accelerator = ["-accel", "kvm", "-cpu", "host"]
    else:
        # What only costs time under emulation: five-level page tables, copying by the byte (ERMS,
        # FSRM), wide registers that are saved at each switch, checks of every access.
        features = ["la57", "erms", "fsrm", "xsave", "avx", "avx2", "smap", "smep", "umip"]
        accelerator = ["-accel", "tcg,thread=multi",
                       "-cpu", ",".join(["max", *(f"{name}=off" for name in features)])]
    return [
        program("qemu-system-x86_64"),
        "-name", f"lab-{boot}",
        "-M", "q35", *accelerator, "-smp", str(spec.cpus), "-m", f"{spec.memory}M",
        "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-kernel", str(assets.kernel), "-initrd", str(assets.initrd),
        "-append", " ".join([*KERNEL_WORDS, *kernel_words, f"lab.boot={boot}"]),
        *share("exchange", place.share, writable=True),
        *disk("lab", place.disk),
    ]


def disk(name: str, path: Path, *options: str, form: str = "raw") -> List[str]:
    """A disk whose serial number is `name`."""
    drive = ",".join([DRIVE, f"format={form}", f"id={name}", f"file={comma(path)}", *options])
    return ["-drive", drive, "-device", f"virtio-blk-pci,drive={name},serial={name}"]


def share(tag: str, folder: Path, writable: bool = False) -> List[str]:
    """A folder of the host that the guest may mount."""
    mode = "" if writable else ",readonly=on"
    return ["-virtfs", f"local,path={comma(folder)},security_model=none,mount_tag={tag}{mode},multidevs=remap"]


def qemu_arguments(assets: Assets, place: Place, spec: Spec, boot: int) -> List[str]:
    """QEMU's command line, but for the channels, which Machine.start adds."""
    arguments = machine_arguments(assets, place, spec, boot,
                                  ["tsc=reliable", "apparmor=0", "selinux=0", "audit=0", "raid=noautodetect"])
    arguments += share("host", Path("/"))
    for number, iops in enumerate(spec.slow_iops):
        arguments += disk(f"slow{number}", place.slow_disk(number), f"throttling.iops-total={iops}")
    # The last one, so that it does not take the name of another.
    return arguments + disk("programs", assets.programs, "readonly=on")


def comma(path: Path) -> str:
    """A comma in a QEMU option is written twice."""
    return str(path).replace(",", ",,")


def die_with_parent() -> None:
    # A harness that is killed must not leave a virtual machine behind.
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    # Ctrl-C on the terminal is the harness's business (or the guest's shell's).
    os.setpgid(0, 0)


def drain(channel: socket.socket) -> None:
    try:
        while channel.recv(65536):
            pass
    except OSError:
        pass


class Machine:
    """A running guest: its console goes to a file, its job port to read()/write()."""

    def __init__(self, assets: Assets, place: Place, spec: Spec, boot: int):
        self.assets, self.place, self.spec, self.boot = assets, place, spec, boot
        self.log = place.share / f"boot-{boot}"
        self.console = self.log / "console"
        self.started = 0.0
        self.stage = ""             # the installed product, if there is one
        self._qemu: Optional[subprocess.Popen] = None

    def start(self, mode: str, words: List[str] = [], variables: Dict[str, str] = {}) -> None:
        """Boot. The guest's init does what `mode` says (guest/init)."""
        self.log.mkdir(parents=True, exist_ok=True)
        self._write_start(mode, words, variables)
        self._job, job = socket.socketpair()
        self._console, console = socket.socketpair()
        self._monitor, monitor = socket.socketpair()
        ends = [job, console, monitor]
        arguments = self.arguments() + [
            "-chardev", f"socket,id=console,fd={console.fileno()},logfile={comma(self.console)}",
            "-chardev", f"socket,id=job,fd={job.fileno()}",
            "-chardev", f"socket,id=monitor,fd={monitor.fileno()}",
            "-serial", "chardev:console", "-serial", "chardev:job",
            "-mon", "chardev=monitor,mode=control",
        ]
        (self.log / "qemu-command").write_text(shlex.join(arguments) + "\n")
        self.started = time.monotonic()
        with open(self.log / "qemu-output", "wb") as output:
            self._qemu = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                pass_fds=[end.fileno() for end in ends], preexec_fn=die_with_parent)
        for end in ends:
            end.close()
        self._job.setblocking(False)
        # QEMU writes the console's text to its log file by itself, but stops the
        # guest when nobody reads the socket.
        threading.Thread(target=drain, args=(self._console,), daemon=True).start()

    def arguments(self) -> List[str]:
        return qemu_arguments(self.assets, self.place, self.spec, self.boot)

    def _write_start(self, mode: str, words: List[str], variables: Dict[str, str]) -> None:
        values = {
            "LAB_MODE": mode, "LAB_CHECKOUT": str(CHECKOUT), "LAB_MODULES": str(self.assets.modules),
            "LAB_BOOT": str(self.boot), **variables,
        }
        lines = [f"export {name}={shlex.quote(value)}" for name, value in values.items()]
        command = shlex.join(["exec", "/bin/busybox", "sh", str(GUEST / "init"), *words])
        (self.log / "start").write_text("\n".join([*lines, command, ""]))

    @property
    def running(self) -> bool:
        return self._qemu is not None and self._qemu.poll() is None

    def job_socket(self) -> socket.socket:
        return self._job

    def read(self, timeout: float) -> Optional[bytes]:
        """What the guest wrote to the job port within `timeout` seconds; b'' if nothing.

        None when QEMU has ended and everything was read.
        """
        ready, _, _ = select.select([self._job], [], [], timeout)
        if not ready:
            return b""
        try:
            data = self._job.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            self._qemu.wait()
            return None
        return data

    def write(self, data: bytes) -> None:
        """To the job port; little enough to fit into the socket."""
        self._job.sendall(data)

    def show_blocked_tasks(self) -> None:
        """Make a hanging guest's kernel tell on the console what it waits for."""
        try:
            self._monitor.settimeout(5)
            stream = self._monitor.makefile("rwb")
            stream.readline()
            self._command(stream, "qmp_capabilities")
            # A break followed by a letter is SysRq: w lists the blocked tasks, l
            # what the processors do.
            for letter in b"wl":
                self._command(stream, "chardev-send-break", id="console")
                self._console.sendall(bytes([letter]))
                self._wait_until_quiet()
        except (OSError, ValueError) as error:
            with open(self.log / "qemu-output", "a") as output:
                output.write(f"no list of blocked tasks: {error}\n")

    @staticmethod
    def _command(stream, name: str, **arguments) -> None:
        stream.write(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
        stream.flush()
        while True:
            answer = json.loads(stream.readline() or b"{}")
            if "error" in answer:
                raise ValueError(answer["error"])
            if "return" in answer or not answer:
                return

    def _wait_until_quiet(self) -> None:
        before = -1
        for _ in range(20):
            time.sleep(0.5)
            size = self.console.stat().st_size
            if size == before:
                return
            before = size

    def kill(self) -> None:
        """The power cut: what the guest's kernel had not written is gone."""
        if self._qemu and self._qemu.poll() is None:
            self._qemu.kill()
        self.close()

    def wait(self, timeout: float) -> bool:
        """Wait for the guest to power itself off."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.read(0.5) is None:
                return True
        return False

    def close(self) -> None:
        if self._qemu is None:
            return
        self._qemu.wait()
        for channel in (self._job, self._console, self._monitor):
            channel.close()
        self._qemu = None

    def last_words(self, lines: int = 15) -> str:
        """The end of the console, and what QEMU and the guest's init complained about."""
        parts = []
        for path in (self.log / "qemu-output", self.log / "init.log", self.console):
            text = path.read_text(errors="replace") if path.exists() else ""
            tail = telling(text.replace("\r", "").splitlines(), lines)
            if tail:
                parts.append(f"--- {path.name}, last lines:\n" + "\n".join(tail))
        return "\n".join(parts) or "(the guest said nothing)"


def telling(text: List[str], lines: int) -> List[str]:
    """The last lines; before a kernel's trace, which is long, rather what led to it."""
    for number, line in enumerate(text):
        if re.search("Kernel panic|Oops|BUG: ", line):
            return text[max(0, number - lines // 2):number + lines // 2]
    return text[-lines:]
