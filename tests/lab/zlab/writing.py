"""Writing tests: their options, what they are called with, what they tell."""

import contextlib
import json
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

from .places import DISK, SHARE

_started = time.monotonic()


def say(text: str) -> None:
    """A line for the test's report."""
    print(f"[{time.monotonic() - _started:7.2f}] {text}", flush=True)


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
