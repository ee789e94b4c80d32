#!/usr/bin/python3
"""Makes a machine with virt-manager, as a person does who sits before it: volumes are chosen in the
window that lists those of each pool. Works through the accessibility interface (AT-SPI).

    dbus-run-session -- choose_volume.py MACHINE FOLDER POOL/VOLUME...

Every volume is chosen once, and a picture of its list taken: FOLDER/POOL.png. The machine gets the
last one, and is started. Starts an X server of its own.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import pyatspi

DISPLAY = ":7"
LIMIT = 240         # seconds for each step: the processor may be emulated, and busy


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + LIMIT
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {LIMIT} s: {what}; there is\n{what_is_shown()}")
        time.sleep(0.5)


# --- what there is

def shown_below(node: Any) -> Iterator[Any]:
    """All below a widget that can be seen. Each look is a message to the program: what is hidden is
    not gone through."""
    for index in range(node.childCount):
        child = node.getChildAtIndex(index)
        if child is not None and child.getState().contains(pyatspi.STATE_SHOWING):
            yield child
            yield from shown_below(child)


def shown() -> Iterator[Any]:
    for application in pyatspi.Registry.getDesktop(0):
        if application is not None and "virt-manager" in application.name.lower():
            yield from shown_below(application)


def look(choice: Callable[[Any], bool]) -> list:
    """Nothing where windows come and go meanwhile: who waits looks again."""
    try:
        return [node for node in shown()
                if choice(node) and node.getState().contains(pyatspi.STATE_SENSITIVE)]
    except Exception:       # pyatspi passes on whatever D-Bus said
        return []


def what_is_shown() -> str:
    return "\n".join(f"{node.getRoleName()}: {node.name}" for node in look(lambda node: bool(node.name)))


def find(role: str, name: str) -> Any:
    """The widget of this role whose name begins so; of several the one that came last."""
    return wait_for(lambda: look(lambda node: node.getRoleName() == role and node.name.startswith(name)),
                    f"{role} '{name}'")[-1]


# --- what a person does

def act(node: Any, action: str) -> None:
    actions = node.queryAction()
    actions.doAction([actions.getName(index) for index in range(actions.nActions)].index(action))


def press(role: str, name: str) -> None:
    act(find(role, name), "click")


def row_of(cell: Any) -> Any:
    """A cell that shows several things has cells below it."""
    while cell.parent.getRoleName() != "table":
        cell = cell.parent
    return cell


def select(name: str, table: str = "") -> Any:
    """The row of a list that has a cell whose text begins so; of the list of this name, or of any."""
    cell = wait_for(lambda: look(lambda node: node.getRoleName() == "table cell" and node.name.startswith(name)
                                 and row_of(node).parent.name.startswith(table)),
                    f"{name} in the list {table}")[-1]
    row = row_of(cell)
    rows = row.parent.queryTable()
    rows.addRowSelection(rows.getRowAtIndex(row.getIndexInParent()))
    return cell


def take_picture(path: Path) -> None:
    """Of the window on top; what is beside it is black."""
    screen = subprocess.run(["xwd", "-root", "-silent"], stdout=subprocess.PIPE, check=True).stdout
    subprocess.run(["/usr/bin/convert", "xwd:-", "-trim", "+repage", "-strip", "-colors", "128", f"png8:{path}"],
                   input=screen, check=True)


def choose(pool: str, volume: str, folder: Path) -> None:
    press("push button", "install-import-browse")
    select(pool, "pool-list")
    select(volume, "vol-list")
    find("push button", "Choose Volume")        # it can be pressed once a volume is selected
    take_picture(folder / f"{pool}.png")
    press("push button", "Choose Volume")
    entry = find("text", "import-entry").queryText()
    wait_for(lambda: entry.getText(0, -1).endswith(f"/{volume}"), f"the path of {volume}")
    print(f"{pool}/{volume}: {entry.getText(0, -1)}", flush=True)


def make_machine(name: str, folder: Path, volumes: list) -> None:
    press("radio button", "Import existing")
    press("push button", "Forward")
    for chosen in volumes:
        choose(*chosen.split("/"), folder)
    find("text", "oslist-entry").queryEditableText().setTextContents("generic")
    act(select("Generic or unknown"), "activate")
    press("push button", "Forward")
    find("label", "Choose Memory")
    press("push button", "Forward")
    find("label", "Ready to begin")
    (entry,) = look(lambda node: node.getRoleName() == "text")
    entry.queryEditableText().setTextContents(name)
    take_picture(folder / "ready.png")
    press("push button", "Finish")
    running = ["virsh", "-q", "domstate", name]
    wait_for(lambda: subprocess.run(running, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                    text=True).stdout.strip() == "running", f"{name} runs")


def main(name: str, folder: str, *volumes: str) -> None:
    with subprocess.Popen(["Xvfb", DISPLAY, "-screen", "0", "1024x768x24", "-nolisten", "tcp"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(Path(f"/tmp/.X11-unix/X{DISPLAY[1:]}").exists, "the X server is up")
            os.environ.update(DISPLAY=DISPLAY, GSETTINGS_BACKEND="memory", LANG="C.UTF-8")
            with subprocess.Popen(["virt-manager", "--no-fork", "--connect", "qemu:///system",
                                   "--show-domain-creator"]) as manager:
                try:
                    make_machine(name, Path(folder), list(volumes))
                finally:
                    manager.kill()
        finally:
            server.kill()


if __name__ == "__main__":
    main(*sys.argv[1:])
