"""A domain of libvirt without an operating system, and its disks."""

import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Optional, Union

from . import libvirt
from .places import DISK, MIB
from .programs import Done, virsh, wait_for
from .writing import say


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
    'xml': TEXT more elements go into the <disk>, with 'format': NAME it is no raw one. The
    first is vda with the alias virtio-disk0, and so on. The domain boots from the boot sector,
    if there is one, or from a disk with a <boot> in its XML; without either it runs nothing.
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

    @property
    def boots(self) -> bool:
        """From its boot sector, or from a disk that says so itself."""
        return self.boot_sector is not None or any("<boot " in disk.get("xml", "") for disk in self.disks)

    def loader(self) -> str:
        if self.boots:
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
                f"<driver name='qemu' type='{disk.get('format', 'raw')}' cache='none' io='threads'"
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
                       "<qemu:env name='_STDBUF_O' value='L'/></qemu:commandline>"
                       # libvirt asks for each of the processor's properties, 400 of them, by a command of
                       # a hundred bytes, and QEMU reads its monitor byte by byte: two thirds of the time
                       # that an emulated processor takes for a domain's start. The way before: one answer.
                       "<qemu:capabilities><qemu:del capability='cpu-unavailable-features'/></qemu:capabilities>")
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
        libvirt.define(self.xml())
        say(f"{self.name} is defined")
        return self

    def start(self, check: bool = True, timeout: float = 120) -> Done:
        if not self.defined():
            self.define()
        return virsh("start", self.name, check=check, timeout=timeout)

    def defined(self) -> bool:
        return self.state() != ""

    def state(self) -> str:
        """'running', 'shut off', ..., or '' when there is no such domain."""
        return libvirt.state_of(self.name)

    def wait_state(self, state: str, timeout: float = 30) -> None:
        wait_for(lambda: self.state() == state, f"domain {self.name} {state}", timeout)

    def destroy(self) -> None:
        libvirt.destroy(self.name)

    def remove(self) -> None:
        """Destroy and undefine, if it is there; for cleaning up."""
        libvirt.remove(self.name)
        self.boot_image.unlink(missing_ok=True)

    def hmp(self, *commands: str, quiet: bool = False, timeout: float = 120) -> str:
        """Commands for QEMU's human monitor."""
        answer = libvirt.hmp(self.name, commands, timeout)
        if not quiet:
            say(f"{self.name}: {'; '.join(commands)}  -> {answer.strip()!r}")
        return answer

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
        answer = self.hmp(*(f'qemu-io -d {device} "{words}"' for words in (command, mark)),
                          quiet=True, timeout=timeout)
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
