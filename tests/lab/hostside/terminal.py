"""`lab shell` and `lab exec`: a person's or a script's way into the guest."""

import os
import select
import shutil
import sys
import termios
import time
import tty
from contextlib import contextmanager
from typing import Iterator, List

from .assets import LabError
from .machine import Machine

ESCAPE = b"\x1d"                    # Ctrl-]
GONE, LATE = 125, 124               # exit status: the guest died, the time is over


def variables() -> dict:
    size = shutil.get_terminal_size()
    return {
        "LAB_TERM": os.environ.get("TERM", "linux"),
        "LAB_ROWS": str(size.lines or 24), "LAB_COLUMNS": str(size.columns or 80),
        "LAB_DIRECTORY": os.getcwd(),
        "LAB_TTY": "1" if sys.stdout.isatty() else "",
    }


@contextmanager
def raw_terminal() -> Iterator[bool]:
    """Let every key, Ctrl-C too, go to the guest; and give the terminal back as it was."""
    if not sys.stdin.isatty():
        yield False
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setraw(sys.stdin)
        yield True
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def wait_until_up(machine: Machine, limit: float) -> None:
    """The guest touches a file right before its job starts."""
    while not (machine.log / "up").exists():
        if not machine.running:
            raise LabError("the guest died while it booted\n" + machine.last_words())
        if time.monotonic() - machine.started > limit:
            machine.show_blocked_tasks()
            raise LabError(f"the guest was not up after {limit:.0f} s\n" + machine.last_words())
        time.sleep(0.05)


def shell(machine: Machine, boot_limit: float) -> int:
    print("lab: booting; 'exit' ends the machine, Ctrl-] kills it", flush=True)
    machine.start("shell", variables=machine_variables(machine))
    wait_until_up(machine, boot_limit)
    port = machine.job_socket()
    port.setblocking(True)
    keyboard_open = True
    with raw_terminal() as is_terminal:
        while True:
            sources = [port, sys.stdin] if keyboard_open else [port]
            ready, _, _ = select.select(sources, [], [])
            if port in ready:
                data = receive(port)
                if not data:
                    break
                os.write(sys.stdout.fileno(), data)
            if sys.stdin in ready:
                keys = os.read(sys.stdin.fileno(), 4096)
                if is_terminal and ESCAPE in keys:
                    break
                # The end of a script that is piped in is Ctrl-D to the shell.
                port.sendall(keys or b"\x04")
                keyboard_open = bool(keys)
    machine.kill()
    return 0


def receive(port) -> bytes:
    try:
        return port.recv(65536)
    except ConnectionResetError:
        return b""


def execute(machine: Machine, command: List[str], boot_limit: float, limit: float) -> int:
    machine.start("exec", command, machine_variables(machine))
    wait_until_up(machine, boot_limit)
    deadline = time.monotonic() + limit
    # Once the command has ended the guest only needs a moment to power off.
    while True:
        data = machine.read(0.2)
        if data is None:
            break
        if data:
            write_all(data)
        if status_of(machine) is not None:
            deadline = min(deadline, time.monotonic() + 30)
            if not data:
                break
        if time.monotonic() > deadline:
            break
    status = status_of(machine)
    if status is None and machine.running:
        machine.show_blocked_tasks()
        print(f"\nlab: not done after {limit:.0f} s\n{machine.last_words()}", file=sys.stderr)
        status = LATE
    elif status is None:
        print(f"\nlab: the guest died\n{machine.last_words()}", file=sys.stderr)
        status = GONE
    machine.kill()
    return status


def machine_variables(machine: Machine) -> dict:
    return {**variables(), "LAB_STAGE": machine.stage}


def status_of(machine: Machine):
    try:
        text = (machine.log / "status").read_text()
        return int(text) if text.endswith("\n") else None
    except FileNotFoundError:
        return None


def write_all(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
