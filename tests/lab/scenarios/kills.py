"""Programs that are killed at a system call of choice, by strace: no code of ours helps.

Importable on the host as well, like zlab.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Sequence, Tuple

import zlab
from toolbox.pools import DEFINITIONS, HOOK, assert_same, get, make_pool, put, system, with_uuid
from zlab import MIB, Done, Domain, Lab, sh, zraid

Call = Tuple[str, int]                  # name, which one of that name

# System calls by which a program changes something or has another change it.
CHANGES = "ioctl,write,pwrite64,ftruncate,fallocate,rename,renameat2,linkat,unlink,mkdir,clone3,clone,vfork,fsync"


def calls_of(words: Sequence[object], log: Path, **more: Any) -> List[Tuple[str, int]]:
    """Run a command to its end and list those calls: (name, which one of that name). One that was
    refused because something is busy for a moment, and made again, may not come in another run."""
    sh(["strace", "-o", log, "-e", f"trace={CHANGES}", *words], **more)
    names = re.findall(r"(?m)^(\w+)\((?!.*= -1 EBUSY)", log.read_text())
    seen: Counter = Counter()
    calls = []
    for name in names:
        seen[name] += 1
        calls.append((name, seen[name]))
    assert len(calls) > 5, calls
    return calls


def kill_at(call: Tuple[str, int], words: Sequence[object], may_finish: bool = False, **more: Any) -> bool:
    """The same command, killed when it is about to make this call.

    It asks the kernel again where that is busy, so the last calls of a longer run may not come in a
    shorter one: with may_finish that is told, and no failure.
    """
    name, number = call
    done = sh(["strace", "-o", "/dev/null", "-e", f"trace={name}",
               "-e", f"inject={name}:signal=KILL:when={number}", *words], check=False, **more)
    assert done.rc == -9 or (may_finish and done.rc == 0), f"it was not killed: {done}"
    return done.rc == -9


def chosen(calls: List[Tuple[str, int]], shares: Sequence[float]) -> List[Tuple[str, int]]:
    return [calls[int(share * (len(calls) - 1))] for share in shares]


class Action(NamedTuple):
    words: Sequence[object]
    before: str                         # state that it starts from
    opposite: str                       # name of the action that undoes it


def run(lab: Lab, choose: Callable[[List[Call]], List[Call]]) -> None:
    """start, stop, attach, detach, and the hook's prepare and release are killed at the calls that
    `choose` picks of all of theirs. Behind each kill either the same is done again, or the opposite;
    then nothing is left over, and the data is there."""
    pool = make_pool(lab, "steps", "64M", "--no-libvirt")
    partition = pool.add_partition()
    put(pool.md, 40 * MIB, 0x5C)
    domain = with_uuid(Domain("steps", [{"dev": partition}]))
    document = domain.xml()
    hook = [HOOK, "steps"]
    actions: Dict[str, Action] = {
        "start": Action(["zraid-pool", "start", "steps"], "inactive", "stop"),
        "stop": Action(["zraid-pool", "stop", "steps"], "attached", "start"),
        "attach": Action(["zraid-pool", "attach", "steps"], "disk-only", "detach"),
        "detach": Action(["zraid-pool", "detach", "steps"], "attached", "attach"),
        "prepare": Action([*hook, "prepare", "begin", "-"], "disk-only", "release"),
        "release": Action([*hook, "release", "end", "-"], "prepared", "prepare"),
    }

    def act(name: str) -> Done:
        return sh(actions[name].words, input=document, quiet=True)

    def rest() -> None:
        act("release")
        zraid("detach", "steps", quiet=True, check=False)
        act("stop")
        act("start")
        pool.assert_at_rest()
        assert get(pool.md, 40 * MIB) == b"\x5c" * 8192

    def go_to(state: str) -> None:
        if state == "inactive":
            act("stop")
        elif state != "disk-only":
            act("attach" if state == "attached" else "prepare")
            pool.fill()

    # The first time modules are loaded, which later ones need not do.
    act("attach")
    pool.fill()
    rest()
    nothing = system(DEFINITIONS)
    killed = missed = 0
    for name, action in actions.items():
        go_to(action.before)
        calls = calls_of(action.words, Path("/tmp/steps.calls"), input=document)
        rest()
        for number, call in enumerate(choose(calls)):
            go_to(action.before)
            if kill_at(call, action.words, may_finish=True, input=document, quiet=True):
                killed += 1
            else:
                missed += 1
            then = name if number % 2 == 0 else action.opposite
            act(then)
            if then in ("attach", "prepare"):
                pool.fill()             # a RAM leg that is there and never fills is no use
            elif then in ("detach", "release"):
                pool.assert_at_rest()
            rest()
            assert_same(nothing, system(DEFINITIONS))
        zlab.say(f"{name}: {len(calls)} calls")
    zlab.say(f"{killed} kills, {missed} ended before the call came")
    assert killed > 10 * missed, (killed, missed)
    zraid("attach", "steps")
    pool.fill()
    zraid("scrub", "steps")
    zraid("detach", "steps")
