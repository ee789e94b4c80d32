"""Running programs: any, virsh, zraid-pool."""

import json
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Union

from .writing import say


class Done(NamedTuple):
    rc: int
    out: str
    err: str


class CommandError(AssertionError):
    def __init__(self, argv: Sequence[str], done: Done, seconds: float):
        self.argv, self.done = list(argv), done
        super().__init__(f"'{' '.join(argv)}' ended with {done.rc} after {seconds:.1f} s\n"
                         f"stdout: {done.out.strip()[-2000:]}\nstderr: {done.err.strip()[-2000:]}")


def sh(argv: Sequence[Union[str, Path]], check: bool = True, input: Optional[str] = None,
       timeout: float = 120, quiet: bool = False, **more: Any) -> Done:
    """Run a program; (rc, out, err). Another status than 0 raises, unless check=False.

    It and its output go to the test's report. -N is the signal that ended it.
    """
    words = [str(word) for word in argv]
    begun = time.monotonic()
    try:
        run = subprocess.run(words, input=input, stdin=None if input is not None else subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             errors="replace", timeout=timeout, **more)
    except subprocess.TimeoutExpired as late:
        raise AssertionError(f"'{' '.join(words)}' was not done after {timeout:.0f} s\n"
                             f"stdout: {_text(late.stdout)}\nstderr: {_text(late.stderr)}") from None
    seconds = time.monotonic() - begun
    done = Done(run.returncode, run.stdout, run.stderr)
    if not quiet:
        say(f"$ {' '.join(words)}  -> {done.rc} ({seconds:.2f} s)")
        for text in (done.out, done.err):
            for line in text.rstrip().splitlines()[:60]:
                print(f"          | {line[:500]}")
    if check and done.rc != 0:
        raise CommandError(words, done, seconds)
    return done


def _text(data: Union[bytes, str, None]) -> str:
    return (data.decode(errors="replace") if isinstance(data, bytes) else data or "").strip()[-2000:]


def wait_for(condition: Callable[[], Any], what: str, timeout: float = 30) -> Any:
    """Ask every 50 ms until the condition gives something true, and return that.

    A question that takes longer is asked less often: it must not take the processor from what is
    waited for.
    """
    deadline = time.monotonic() + timeout
    while True:
        asked = time.monotonic()
        value = condition()
        if value:
            return value
        now = time.monotonic()
        if now > deadline:
            raise AssertionError(f"not within {timeout:.0f} s: {what} (last: {value!r})")
        time.sleep(max(0.05, now - asked))


def virsh(*words: Union[str, Path], **more: Any) -> Done:
    return sh(["virsh", "-q", *words], **more)


def zraid(*words: Union[str, Path], **more: Any) -> Done:
    """zraid-pool with these arguments."""
    return sh(["zraid-pool", *words], **more)


def info(pool: str) -> Dict[str, Any]:
    return json.loads(zraid("info", pool, "--json", quiet=True).out)


def wait_state(pool: str, state: str, timeout: float = 60) -> Dict[str, Any]:
    """Wait until the pool is in this state, and return its info."""
    last: Dict[str, Any] = {}
    seen: Dict[str, str] = {}
    asked = 0.0

    def reached() -> Dict[str, Any]:
        # zraid-pool costs an emulated processor a third of a second: it is asked again when the kernel
        # tells something new, and now and then.
        nonlocal last, seen, asked
        mirrors = _mirrors()
        if not last or mirrors != seen or time.monotonic() > asked + 2:
            before, last = last, info(pool)
            seen, asked = mirrors, time.monotonic()
            if last["state"] != before.get("state"):
                say(f"{pool}: {last['state']}")
        return last if last["state"] == state else {}
    return wait_for(reached, f"pool {pool} {state}", timeout)


def _mirrors() -> Dict[str, str]:
    """What changes in /sys/block when a leg comes or goes, is filled, or fails."""
    found = {}
    for pattern in ("md*/md/degraded", "md*/md/sync_action", "md*/md/dev-*/state", "zram*/disksize"):
        for path in Path("/sys/block").glob(pattern):
            with suppress(OSError):     # it is just being removed
                found[str(path)] = path.read_text()
    return found


def pids_of(name: str) -> List[int]:
    """Processes of this name."""
    return [int(pid) for pid in sh(["pgrep", "-x", name], check=False, quiet=True).out.split()]
