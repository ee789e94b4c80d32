"""libvirt's daemon, and what it is asked most.

What a user does is done with virsh. What tests only ask, again and again, goes to the daemon without
it: starting virsh costs an emulated processor half a second.
"""

import os
import threading
from concurrent.futures import Future, TimeoutError
from typing import Any, Callable, Sequence

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


def load_library() -> Any:
    """libvirt's module for Python. Tests are read on the host as well, which needs none of it; the
    runner loads it once for the processes of all its tests."""
    import libvirt
    import libvirt_qemu  # noqa: F401
    libvirt.registerErrorHandler(lambda *_: None, None)
    return libvirt


def ask(question: Callable[[Any], Any], what: str, timeout: float = 120) -> Any:
    """What the question, which gets a connection, returns. libvirt's library has no time limit, and
    Python hears of no signal while it is in there."""
    answer: Future = Future()

    def work() -> None:
        try:
            connection = load_library().open("qemu:///system")
            try:
                answer.set_result(question(connection))
            finally:
                connection.close()
        except Exception as error:
            if not answer.done():
                answer.set_exception(error)
    threading.Thread(target=work, daemon=True).start()
    try:
        return answer.result(timeout)
    except TimeoutError:
        raise AssertionError(f"libvirt: {what} was not done after {timeout:.0f} s") from None


STATES = ["no state", "running", "idle", "paused", "in shutdown", "shut off", "crashed", "pmsuspended"]


def state_of(name: str) -> str:
    """In virsh's words, "" for a domain that there is not."""
    library = load_library()
    try:
        return ask(lambda connection: STATES[connection.lookupByName(name).state()[0]], f"state of {name}")
    except library.libvirtError as error:
        if error.get_error_code() != library.VIR_ERR_NO_DOMAIN:
            raise
        return ""


def define(xml: str) -> None:
    ask(lambda connection: connection.defineXML(xml), "define")


def destroy(name: str) -> None:
    ask(lambda connection: connection.lookupByName(name).destroy(), f"destroy {name}")
    say(f"{name} is destroyed")


def remove(name: str) -> None:
    """Destroy and undefine, if it is there."""
    library = load_library()
    for what, step in (("destroy", lambda domain: domain.destroy()),
                       ("undefine", lambda domain: domain.undefineFlags(library.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE))):
        try:
            ask(lambda connection: step(connection.lookupByName(name)), f"{what} {name}")
        except library.libvirtError as error:
            if error.get_error_code() not in (library.VIR_ERR_OPERATION_INVALID, library.VIR_ERR_NO_DOMAIN):
                raise


def hmp(name: str, commands: Sequence[str], timeout: float = 120) -> str:
    """What QEMU's human monitor answers to them."""
    import libvirt_qemu

    def question(connection: Any) -> str:
        domain = connection.lookupByName(name)
        return "".join(libvirt_qemu.qemuMonitorCommand(
            domain, command, libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP) for command in commands)
    return ask(question, f"{'; '.join(commands)} of {name}", timeout)
