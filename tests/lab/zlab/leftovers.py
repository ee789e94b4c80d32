"""What a test must not leave behind."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import List

from .kernel import blocks, loops, mds, read, zrams
from .places import DISK
from .programs import pids_of, virsh


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
    found += [f"device-mapper device {name} ({read(f'/sys/block/{name}/dm/name')})" for name in blocks("dm-*")]
    for name in zrams():
        # Loading the module makes zram0; unused, it is nobody's.
        fresh = name == "zram0" and read("/sys/block/zram0/disksize") == "0"
        if name not in before.zrams and not fresh:
            found.append(f"zram device {name}")
    found += [f"file {path}" for folder in ("/run/zraid/claims", "/etc/zraid/pools")
              for path in sorted(Path(folder).glob("*"))]
    found += [f"mount {line.split()[1]}" for line in read("/proc/mounts").splitlines()
              if line.split()[1].startswith("/srv/lab/")]
    if not pids_of("systemd-udevd"):
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
