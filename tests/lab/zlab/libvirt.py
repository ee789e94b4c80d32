"""libvirt's daemon."""

import os

from .places import CHECKOUT, LOG
from .programs import pids_of, sh, wait_for


def kill_libvirtd(signal_number: int = 9) -> None:
    """End libvirtd (running domains stay) and wait until it is gone."""
    for pid in pids_of("libvirtd"):
        os.kill(pid, signal_number)
    wait_for(lambda: not pids_of("libvirtd"), "libvirtd ended")


def start_libvirtd() -> None:
    """Start virtlogd and libvirtd if they do not run, and wait until libvirtd answers."""
    sh([CHECKOUT / "tests" / "lab" / "guest" / "libvirtd-up"], timeout=150)


def syslog() -> str:
    """Everything that programs have sent to syslog in this boot."""
    path = LOG / "syslog"
    return path.read_text(errors="replace") if path.exists() else ""
