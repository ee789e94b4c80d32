"""For authors of lab tests: what a test may use inside the guest.

Importable on the host as well, where only the tests' names and options are read.
See docs/lab.md.
"""

import subprocess

from .domain import BOOT_SECTOR_OBEY, Domain, QemuIoError, boot_sector
from .kernel import (Counters, blocks, counters, detach_loop, drop_caches, fresh_loop, image_bytes, loops, mds, name_of,
                     open_by, read, settle, sysfs, udev_paused, zrams)
from .leftovers import Baseline, leftovers, remove_scratch
from .libvirt import kill_libvirtd, start_libvirtd, syslog
from .places import CHECKOUT, DISK, GIB, KIB, LOG, MIB, SHARE, TIB
from .programs import CommandError, Done, info, pids_of, sh, virsh, wait_for, wait_state, zraid
from .writing import Lab, Reboot, options, say

__all__ = [
    "BOOT_SECTOR_OBEY", "Baseline", "CHECKOUT", "CommandError", "Counters", "DISK", "Domain", "Done", "GIB", "KIB", "LOG",
    "Lab", "MIB", "QemuIoError", "Reboot", "SHARE", "TIB", "blocks", "boot_sector", "counters", "detach_loop",
    "drop_caches", "fresh_loop", "image_bytes", "info", "kill_libvirtd", "leftovers", "loops", "mds", "name_of",
    "open_by", "options", "pids_of", "read", "remove_scratch", "say", "settle", "sh", "start_libvirtd", "subprocess",
    "sysfs", "syslog", "udev_paused", "virsh", "wait_for", "wait_state", "zraid", "zrams",
]
