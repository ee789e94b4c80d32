"""zraid-pool is killed in the middle of its work: the same command again comes to the same end, and
the opposite one leaves nothing behind."""

import random
from pathlib import Path

import zlab
from scenarios import kills
from scenarios.kills import calls_of, chosen, kill_at
from toolbox.pools import (DEFINITIONS, HOOK, assert_same, assert_silent, drop_pool, get, make_pool, prepare, put,
                           release, system, with_uuid)
from zlab import MIB, Domain, Lab, zraid


def test_define(lab: Lab) -> None:
    """define: again, and it is defined; or undefine instead, and nothing is left."""
    image = lab.dir / "kill.img"
    words = ["define", "kill", "--no-libvirt", "--image", image, "--size", "64M"]
    lab.defer(drop_pool, "kill")
    nothing = system(lab.dir)
    calls = calls_of(["zraid-pool", *words], Path("/tmp/define.calls"))
    zraid("undefine", "kill", "--remove-image", "--yes")
    # At ftruncate the image is there, and empty.
    picked = [("ftruncate", 1), *chosen(calls, (0.25, 0.4, 0.55, 0.7, 0.85, 1.0))]
    for number, call in enumerate(picked):
        kill_at(call, ["zraid-pool", *words])
        if number % 2 == 0:
            zraid(*words)
            assert zlab.info("kill")["state"] == "disk-only"
            put("/dev/md100", 9 * MIB, 0x9D)
        undefined = zraid("undefine", "kill", "--remove-image", "--yes", check=False)
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
    attach_calls = calls_of(["zraid-pool", *attach], Path("/tmp/attach.calls"))
    pool.fill()
    detach_calls = calls_of(["zraid-pool", *detach], Path("/tmp/detach.calls"))
    for number, call in enumerate(chosen(attach_calls, (0.3, 0.5, 0.7, 0.9, 1.0))):
        kill_at(call, ["zraid-pool", *attach])
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
        kill_at(call, ["zraid-pool", *detach])
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
    calls = calls_of(["zraid-pool", "undefine", "kill"], Path("/tmp/undefine.calls"))
    for number, call in enumerate(chosen(calls, (0.3, 0.5, 0.7, 0.9))):
        zraid(*define)
        zraid("attach", "kill")
        kill_at(call, ["zraid-pool", "undefine", "kill"])
        if number % 2 and (DEFINITIONS / "kill.xml").exists():
            zraid("start", "kill")
            assert get(pool.md, 3 * MIB) == b"\xc7" * 8192
        undefined = zraid("undefine", "kill", check=False)
        assert undefined.rc == 0 or "no pool 'kill'" in undefined.err, undefined
        assert_same(nothing, system())
    zraid(*define)
    assert get(pool.md, 3 * MIB) == b"\xc7" * 8192


@zlab.options(timeout=300)
def test_start_stop_and_the_hook(lab: Lab) -> None:
    """start, stop, and the hook's prepare and release: the same again, or the opposite."""
    kills.run(lab, lambda calls: chosen(calls, (0.4, 0.8)))


@zlab.options(timeout=300)
def test_a_release_that_is_called_again(lab: Lab) -> None:
    """The hook's release is killed anywhere, and called again, without a monitor: the claim is gone,
    and the RAM leg with it."""
    pool = make_pool(lab, "ends", "64M", "--no-libvirt")
    domain = with_uuid(Domain("ends", [{"dev": pool.md}]))
    words, document = [HOOK, "ends", "release", "end", "-"], domain.xml()

    def use() -> None:
        assert_silent(prepare(domain))
        pool.fill()
    use()
    calls = calls_of(words, Path("/tmp/release.calls"), input=document)
    pool.assert_at_rest()
    for call in random.sample(calls, 10):
        use()
        kill_at(call, words, may_finish=True, input=document)
        assert_silent(release(domain))
        pool.assert_at_rest()
