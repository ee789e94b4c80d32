"""Pools that grow while domains use them."""

from pathlib import Path

import zlab
from scenarios.kills import calls_of, chosen, kill_at
from toolbox.pools import Pool, get, make_pool, put, volumes
from zlab import MIB, Domain, Lab, sh, virsh, zraid

GIB = 1024 * MIB


def capacity(domain: Domain, target: str = "vda") -> int:
    """Bytes that the running domain takes its disk for."""
    info = virsh("domblkinfo", domain.name, target).out
    return int(next(line.split()[1] for line in info.splitlines() if line.startswith("Capacity")))


def assert_size(pool: Pool, size: int) -> None:
    assert pool.info()["size_bytes"] == pool.image.stat().st_size == size
    assert int(zlab.sysfs(zlab.name_of(pool.md), "size")) * 512 == size - MIB


@zlab.options(timeout=240)
def test_online(lab: Lab) -> None:
    """The domain's volume grows while it runs; the domain knows, writes there, and has a RAM leg of
    the new size; what was there before is there."""
    pool = make_pool(lab, "grow", "64M", "--ram-limit", "64M")
    zraid("vol-create", "grow", "40M")
    domain = lab.use(Domain("user", [{"dev": "/dev/zraid/grow/md100p1"}]))
    domain.start()
    before = pool.fill()
    domain.write(20 * MIB, 4096, 0x61, flush=True)
    assert capacity(domain) == 40 * MIB

    done = zraid("resize", "grow", "1G", "--volume", "md100p1")
    assert "Pool 'grow' has 1 GiB." in done.out and "known to: user" in done.out, done
    assert_size(pool, GIB)
    grown = capacity(domain)
    assert volumes("grow") == {"md100p1": grown} and 1000 * MIB < grown < GIB
    after = pool.fill()
    assert after.users == before.users and after.ram != before.ram
    domain.check(20 * MIB, 4096, 0x61)
    domain.write(900 * MIB, 4096, 0x62, flush=True)
    assert pool.mismatches() == 0

    # Again: nothing to do, so the RAM leg stays.
    zraid("resize", "grow", "1G", "--volume", "md100p1")
    assert pool.now() == after
    smaller = zraid("resize", "grow", "512M", check=False)
    assert smaller.rc == 1 and "pools only grow" in smaller.err
    foreign = zraid("resize", "grow", "2G", "--volume", "md100p7", check=False)
    assert foreign.rc == 1 and "no volume 'md100p7'" in foreign.err, foreign

    domain.destroy()
    zraid("stop", "grow")
    zraid("start", "grow")
    assert pool.info()["state"] == "disk-only"
    part = Path("/dev/md100p1")
    assert get(part, 20 * MIB)[:4096] == b"\x61" * 4096
    assert get(part, 900 * MIB)[:4096] == b"\x62" * 4096
    # The refused ones changed nothing.
    assert_size(pool, GIB)
    zraid("resize", "grow", "2G")
    assert_size(pool, 2 * GIB)
    zraid("vol-create", "grow", "500M")
    assert len(volumes("grow")) == 2


def test_whole_array(lab: Lab) -> None:
    """A domain that has the array as a whole may keep anything at its end: nothing there is
    written."""
    pool = make_pool(lab, "whole", "64M", "--ram-limit", "64M")
    old_end = 63 * MIB - 8192
    put(pool.md, 0, 0x31)
    put(pool.md, old_end, 0x32)
    domain = lab.use(Domain("user", [{"dev": pool.md}]))
    domain.start()
    pool.fill()
    refused = zraid("resize", "whole", "96M", "--volume", "md100p1", check=False)
    assert refused.rc == 1 and "no volume" in refused.err, refused
    zraid("resize", "whole", "128M")
    assert_size(pool, 128 * MIB)
    assert capacity(domain) == 127 * MIB
    pool.fill()
    assert get(pool.md, 0) == b"\x31" * 8192 and get(pool.md, old_end) == b"\x32" * 8192
    assert get(pool.md, 127 * MIB - 8192) == bytes(8192)
    assert pool.mismatches() == 0


def test_far(lab: Lab) -> None:
    """The bitmap has room for 64 MiB in chunks of 16 MiB; md makes the chunks larger as the array
    grows, and the definition knows."""
    pool = make_pool(lab, "far", "64M", "--no-libvirt", "--ram-limit", "64M")
    put(pool.md, 32 * MIB, 0x41)
    zraid("resize", "far", "2T")
    assert_size(pool, 2 << 40)
    put(pool.md, 1 << 40, 0x42)
    farther = zraid("resize", "far", "3T", check=False)
    assert farther.rc == 1 and "room for 2 TiB at most" in farther.err, farther
    assert_size(pool, 2 << 40)
    bits = sh(["mdadm", "--examine-bitmap", pool.info()["disk"]["device"]]).out
    chunk = pool.info()["bitmap_chunk_bytes"]
    assert chunk == 1 << 30 and "Chunksize : 1 GB" in bits, (chunk, bits)
    zraid("stop", "far")
    zraid("start", "far")
    assert get(pool.md, 32 * MIB) == b"\x41" * 8192 and get(pool.md, 1 << 40) == b"\x42" * 8192


@zlab.options(timeout=300)
def test_killed(lab: Lab) -> None:
    """resize is killed: the same again comes to its end, with RAM leg, data and partition."""
    pool = make_pool(lab, "kill", "64M", "--no-libvirt", "--ram-limit", "64M")
    partition = pool.add_partition(end="60MiB")
    put(partition, 8 * MIB, 0x51)
    size = 128
    zraid("attach", "kill")
    pool.fill()
    words = ["resize", "kill", f"{size}M", "--volume", "md100p1"]
    calls = calls_of(["zraid-pool", *words], Path("/tmp/resize.calls"))
    pool.fill()
    for call in chosen(calls, (0.1, 0.3, 0.45, 0.6, 0.75, 0.9)):
        size += 64
        words[2] = f"{size}M"
        if kill_at(call, ["zraid-pool", *words], may_finish=True):
            # Nothing in between is worse than a pool without its RAM leg.
            assert get(partition, 8 * MIB) == b"\x51" * 8192
            assert pool.info()["state"] in ("disk-only", "filling", "mirrored")
        zraid(*words)
        assert_size(pool, size * MIB)
        zraid("attach", "kill")
        pool.fill()
        assert len(zlab.zrams()) == 1 and pool.mismatches() == 0
        assert get(partition, 8 * MIB) == b"\x51" * 8192
        assert int(zlab.sysfs("md100", "md100p1/size")) * 512 > (size - 8) * MIB
