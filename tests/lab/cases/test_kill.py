"""zraid-pool is killed in the middle of its work: the same command again comes to the same end, and
the opposite one leaves nothing behind."""

import re
from collections import Counter
from pathlib import Path
from typing import List, Sequence, Tuple

import zlab
from pools import (DEFINITIONS, Now, Pool, assert_same, drop_pool, get, make_pool, put, system)
from zlab import MIB, Done, Lab, sh, wait_for, zraid

# System calls by which zraid-pool changes something or has a program change it.
CHANGES = "ioctl,write,pwrite64,ftruncate,fallocate,rename,linkat,unlink,mkdir,clone3,clone,vfork,fsync"


def calls_of(words: Sequence[object], log: Path) -> List[Tuple[str, int]]:
    """Run a command to its end and list those calls: (name, which one of that name)."""
    sh(["strace", "-o", log, "-e", f"trace={CHANGES}", "zraid-pool", *words])
    names = re.findall(r"(?m)^(\w+)\(", log.read_text())
    seen: Counter = Counter()
    calls = []
    for name in names:
        seen[name] += 1
        calls.append((name, seen[name]))
    assert len(calls) > 5, calls
    return calls


def kill_at(call: Tuple[str, int], words: Sequence[object]) -> Done:
    """The same command, killed when it is about to make this call."""
    name, number = call
    done = sh(["strace", "-o", "/dev/null", "-e", f"trace={name}",
               "-e", f"inject={name}:signal=KILL:when={number}", "zraid-pool", *words], check=False)
    assert done.rc == -9, f"it was not killed: {done}"
    return done


def chosen(calls: List[Tuple[str, int]], shares: Sequence[float]) -> List[Tuple[str, int]]:
    return [calls[int(share * (len(calls) - 1))] for share in shares]


def test_define(lab: Lab) -> None:
    """define: again, and it is defined; or undefine instead, and nothing is left."""
    image = lab.dir / "kill.img"
    words = ["define", "kill", "--no-libvirt", "--image", image, "--size", "64M"]
    lab.defer(drop_pool, "kill")
    nothing = system(lab.dir)
    calls = calls_of(words, Path("/tmp/define.calls"))
    zraid("undefine", "kill", "--remove-image")
    for number, call in enumerate(chosen(calls, (0.25, 0.4, 0.55, 0.7, 0.85, 1.0))):
        kill_at(call, words)
        if number % 2 == 0:
            zraid(*words)
            assert zlab.info("kill")["state"] == "disk-only"
            put("/dev/md100", 9 * MIB, 0x9D)
        undefined = zraid("undefine", "kill", "--remove-image", check=False)
        # Killed before the definition was there it has nothing to take away.
        assert undefined.rc == 0 or "no pool 'kill'" in undefined.err, undefined
        assert_same(nothing, system(lab.dir))
    assert list(DEFINITIONS.glob("*")) == []


def test_attach_and_detach(lab: Lab) -> None:
    """attach: again, or detach; detach: again, or attach; the data is there all the time."""
    pool = make_pool(lab, "kill", "64M", "--no-libvirt")
    put(pool.md, 7 * MIB, 0xA7)
    at_rest = system(DEFINITIONS)
    attach, detach = ["attach", "kill"], ["detach", "kill"]
    # The very first attach also loads modules: it makes calls that no later one makes.
    zraid(*attach)
    pool.fill()
    zraid(*detach)
    attach_calls = calls_of(attach, Path("/tmp/attach.calls"))
    pool.fill()
    detach_calls = calls_of(detach, Path("/tmp/detach.calls"))
    for number, call in enumerate(chosen(attach_calls, (0.3, 0.5, 0.7, 0.9, 1.0))):
        kill_at(call, attach)
        if number % 2 == 0:
            zraid(*attach)
            pool.fill()
            assert len(zlab.zrams()) == 1
            assert pool.mismatches() == 0
        zraid(*detach)
        pool.assert_at_rest()
        assert_same(at_rest, system(DEFINITIONS))
    for number, call in enumerate(chosen(detach_calls, (0.2, 0.5, 0.75, 1.0))):
        zraid(*attach)
        pool.fill()
        kill_at(call, detach)
        if number % 2:
            zraid(*attach)
            pool.fill()
            assert len(zlab.zrams()) == 1
        zraid(*detach)
        pool.assert_at_rest()
        assert_same(at_rest, system(DEFINITIONS))
    assert get(pool.md, 7 * MIB) == b"\xa7" * 8192


def test_undefine(lab: Lab) -> None:
    """undefine of a pool with its RAM leg: again, and nothing is left but the image with its data;
    or start instead, and it is all there."""
    image = lab.dir / "kill.img"
    define = ["define", "kill", "--no-libvirt", "--image", image, "--size", "64M"]
    nothing = system()
    pool = make_pool(lab, "kill", "64M", "--no-libvirt")
    put(pool.md, 3 * MIB, 0xC7)
    zraid("attach", "kill")
    calls = calls_of(["undefine", "kill"], Path("/tmp/undefine.calls"))
    for number, call in enumerate(chosen(calls, (0.3, 0.5, 0.7, 0.9))):
        zraid(*define)
        zraid("attach", "kill")
        kill_at(call, ["undefine", "kill"])
        if number % 2 and (DEFINITIONS / "kill.xml").exists():
            zraid("start", "kill")
            assert get(pool.md, 3 * MIB) == b"\xc7" * 8192
        undefined = zraid("undefine", "kill", check=False)
        assert undefined.rc == 0 or "no pool 'kill'" in undefined.err, undefined
        assert_same(nothing, system())
    zraid(*define)
    assert get(pool.md, 3 * MIB) == b"\xc7" * 8192
