"""Memory is short: RAM legs are admitted only as far as they fit, a domain starts all the same, and
the host lives on."""

import json
import os
from pathlib import Path
from typing import List

import zlab
from scenarios import squeezing
from scenarios.squeezing import KernelLog, available
from toolbox.pools import (Now, Pool, assert_one_line, assert_silent, get, hook, make_pool, prepare, release, with_uuid)
from zlab import MIB, Domain, Lab, sh, zraid

SETTINGS = Path("/etc/zraid/zraid.conf")


def user_of(pool: Pool) -> Domain:
    return with_uuid(Domain(f"user-{pool.name}", [{"dev": pool.md}]))


def budget() -> dict:
    return json.loads(zraid("budget", "--json").out)


def take_memory(lab: Lab, leave: int) -> Path:
    """Take all but so many bytes of the host's memory, until the file that is returned is removed."""
    folder = lab.dir / "memory"
    folder.mkdir()
    sh(["mount", "-t", "tmpfs", "-o", "size=95%", "tmpfs", folder])
    lab.defer(sh, ["umount", folder])
    ballast = folder / "ballast"
    sh(["fallocate", "-l", available() - leave, ballast])
    assert abs(available() - leave) < 48 * MIB, available()
    return ballast


@zlab.options(fresh=True, memory=1024, timeout=400)
def test_more_than_fits(lab: Lab) -> None:
    """Four pools of which two fit: the hook attaches those and warns for the others, whose domains
    start on the disk leg. Data that do not compress fill the two up to their ends; the host is alive,
    nothing was killed, and every byte is there. What is released makes room for others."""
    log = KernelLog()
    pools = [make_pool(lab, f"p{number}", "96M", "--no-libvirt") for number in range(4)]
    take_memory(lab, 280 * MIB)
    admitted: List[Pool] = []
    for pool in pools:
        done = prepare(user_of(pool))
        if done.err:
            assert_one_line(done, 0, "warning", f"pool '{pool.name}'", "to be had", "Next:")
            assert pool.now() == Now("disk-only", [user_of(pool).name], "")
            assert "to be had" in pool.info()["attach_problem"]
            assert_one_line(zraid("attach", pool.name, check=False), 1, "to be had", "budget")
        else:
            assert_silent(done)
            admitted.append(pool)
    assert [pool.name for pool in admitted] == ["p0", "p1"], admitted
    told = budget()
    assert [line["fits"] for line in told["pools"]] == [True, True, False, False]
    assert told["room_bytes"] < 96 * MIB

    data = {}
    for pool in admitted:
        pool.fill()
        data[pool.name] = seed = os.urandom(MIB)
        with open(pool.md, "r+b", buffering=0) as device:
            for number in range(90):
                device.write(piece_of(seed, number))
                if number % 10 == 9:
                    os.fsync(device.fileno())
    for pool in admitted:
        info = pool.info()
        # Full of what does not compress; md would have dropped it, had zram refused.
        assert info["state"] == "mirrored" and info["ram"]["stored_bytes"] > 88 * MIB, info["ram"]
    assert zraid("list").err == ""
    log.assert_none(*squeezing.OUT_OF_MEMORY)
    for pool in admitted:
        zraid("scrub", pool.name, timeout=300)
        zlab.drop_caches()
        for number in range(0, 90, 7):
            assert get(pool.md, number * MIB, MIB) == piece_of(data[pool.name], number)

    for pool in pools:
        assert_silent(release(user_of(pool)))
        pool.assert_at_rest()
    assert zlab.zrams() == []
    assert_silent(prepare(user_of(pools[3])))
    assert pools[3].info()["attach_problem"] is None
    pools[3].fill()
    assert_silent(release(user_of(pools[3])))
    log.assert_none(*squeezing.OUT_OF_MEMORY)


def piece_of(seed: bytes, number: int) -> bytes:
    """A MiB that neither compresses nor is the same as another one of the same seed."""
    return number.to_bytes(8, "little") + seed[8 + number:] + seed[8:8 + number]


@zlab.options(fresh=True, memory=1024)
def test_required(lab: Lab) -> None:
    """A pool that requires its RAM leg: without memory for it a domain does not start, in one line,
    and nothing is left; a running one that libvirt finds again is let be; with memory it starts."""
    pool = make_pool(lab, "must", "128M", "--no-libvirt", "--required")
    ballast = take_memory(lab, 100 * MIB)
    domain = user_of(pool)
    assert_one_line(prepare(domain), 1, "pool 'must'", "require", "to be had", "Next:")
    assert_silent(release(domain))
    pool.assert_at_rest()
    assert zlab.zrams() == []
    done = hook(domain.name, "reconnect", "begin", domain.xml())
    assert_one_line(done, 0, "pool 'must'", "to be had")
    assert pool.now() == Now("disk-only", [domain.name], "")
    assert_silent(release(domain))
    ballast.unlink()
    assert_silent(prepare(domain))
    pool.fill()
    zraid("scrub", "must")
    assert_silent(release(domain))
    pool.assert_at_rest()


def test_memory_limit(lab: Lab) -> None:
    """memory-limit in zraid.conf, as a size and as a share: what does not fit below it is not
    attached, though the host has memory; without the file it is."""
    lab.defer(SETTINGS.unlink, True)
    first = make_pool(lab, "first", "128M", "--no-libvirt")
    second = make_pool(lab, "second", "128M", "--no-libvirt")
    SETTINGS.write_text("# for all pools\n\nmemory-limit = 200M   # of them together\n")
    assert budget()["room_bytes"] == 200 * MIB
    assert_silent(prepare(user_of(first)))
    worst = budget()["pools"][0]["worst_bytes"]
    assert budget()["room_bytes"] == 200 * MIB - worst
    assert_one_line(prepare(user_of(second)), 0, "warning", "pool 'second'", "to be had", "memory-limit")
    assert second.now().state == "disk-only"
    assert_one_line(zraid("attach", "second", check=False), 1, "pool 'second'", "memory-limit")
    SETTINGS.write_text("memory-limit=300M")
    zraid("attach", "second")
    assert_silent(release(user_of(first)))
    assert_silent(release(user_of(second)))

    # Of what is available now: more than half of it, less than 90 %.
    large = make_pool(lab, "large", str(available() * 7 // 10), "--no-libvirt")
    SETTINGS.write_text("memory-limit = 50%\n")
    told = budget()
    assert abs(told["room_bytes"] - told["mem_available_bytes"] // 2) < MIB
    assert_one_line(prepare(user_of(large)), 0, "warning", "pool 'large'", "to be had")
    assert_silent(release(user_of(large)))
    SETTINGS.write_text("memory-limit = 0%\n")
    assert budget()["room_bytes"] == 0
    assert_one_line(prepare(user_of(first)), 0, "warning", "pool 'first'")
    assert_silent(release(user_of(first)))
    SETTINGS.unlink()
    assert_silent(prepare(user_of(large)))
    large.fill()
    assert_silent(release(user_of(large)))


def test_broken_settings(lab: Lab) -> None:
    """A zraid.conf that makes no sense, or that everybody may write to: a domain starts on the disk
    leg with a warning that names the file, attach and budget say what is wrong in one line."""
    lab.defer(SETTINGS.unlink, True)
    pool = make_pool(lab, "p", "64M", "--no-libvirt")
    domain = user_of(pool)
    broken = {"memory-limit = lots": "line 1", "\nmemory-limit = 101%": "line 2", "memory-limit = -5%": "line 1",
              "memory-limit =": "line 1", "memory-limits = 5%": "line 1", "memory-limit": "line 1",
              "\0": "line 1", "memory-limit = 200M": "chmod o-w"}
    for text, words in broken.items():
        SETTINGS.write_text(text)
        SETTINGS.chmod(0o666 if "chmod" in words else 0o600)
        assert_one_line(prepare(domain), 0, "warning", "pool 'p'", str(SETTINGS), words)
        assert pool.now() == Now("disk-only", [domain.name], "")
        assert_one_line(zraid("attach", "p", check=False), 1, str(SETTINGS), words, "Next:")
        assert_one_line(zraid("budget", check=False), 1, str(SETTINGS), words, "Next:")
        assert_silent(release(domain))
        pool.assert_at_rest()
        assert zlab.zrams() == []
    SETTINGS.chmod(0o644)
    assert_silent(prepare(domain))
    pool.fill()
    assert_silent(release(domain))


@zlab.options(fresh=True, memory=1024, timeout=400)
def test_pressure(lab: Lab) -> None:
    """A writer at full speed while memory is taken and given back: it never stands still, no process
    hangs or is killed, no record is lost, the legs are the same."""
    pool = make_pool(lab, "squeezed", "128M", "--no-libvirt")
    pool.attach_and_fill()
    squeezing.run(lab, pool, 45)
