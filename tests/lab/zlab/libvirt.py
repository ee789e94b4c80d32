"""libvirt's daemon, and what it is asked most.

What a user does is done with virsh. What tests only ask, again and again, goes to the daemon without
it: starting virsh costs an emulated processor half a second.
"""

import os
from contextlib import contextmanager
from typing import Any, Iterator, List, Optional, Sequence

from .places import CHECKOUT, LOG
from .programs import pids_of, sh, wait_for
from .writing import say


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


@contextmanager
def connected() -> Iterator[Any]:
    connection = _library().open("qemu:///system")
    try:
        yield connection
    finally:
        connection.close()


def _library() -> Any:
    # Tests are read on the host as well, which needs none of it.
    import libvirt
    libvirt.registerErrorHandler(lambda *_: None, None)
    return libvirt


def _find(connection: Any, name: str) -> Optional[Any]:
    library = _library()
    try:
        return connection.lookupByName(name)
    except library.libvirtError as error:
        if error.get_error_code() != library.VIR_ERR_NO_DOMAIN:
            raise
        return None


STATES = ["no state", "running", "idle", "paused", "in shutdown", "shut off", "crashed", "pmsuspended"]


def state_of(name: str) -> str:
    """In virsh's words, "" for a domain that there is not."""
    with connected() as connection:
        domain = _find(connection, name)
        try:
            return STATES[domain.state()[0]] if domain else ""
        except _library().libvirtError:
            return ""               # it went between the two looks


def define(xml: str) -> None:
    with connected() as connection:
        connection.defineXML(xml)


def destroy(name: str) -> None:
    with connected() as connection:
        connection.lookupByName(name).destroy()
    say(f"{name} is destroyed")


def remove(name: str) -> None:
    """Destroy and undefine, if it is there."""
    library = _library()
    with connected() as connection:
        domain = _find(connection, name)
        if not domain:
            return
        for step in (domain.destroy, lambda: domain.undefineFlags(library.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE)):
            try:
                step()
            except library.libvirtError as error:
                if error.get_error_code() not in (library.VIR_ERR_OPERATION_INVALID, library.VIR_ERR_NO_DOMAIN):
                    raise


def hmp(name: str, commands: Sequence[str]) -> List[str]:
    """What QEMU's human monitor answers to each."""
    import libvirt_qemu
    with connected() as connection:
        domain = connection.lookupByName(name)
        return [libvirt_qemu.qemuMonitorCommand(domain, command, libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP)
                for command in commands]


def load_library() -> None:
    """Before tests ask: each runs in a process of its own."""
    _library()
    import libvirt_qemu  # noqa: F401
