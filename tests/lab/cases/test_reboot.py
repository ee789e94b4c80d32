"""Pools over a reboot and a power cut."""

from pathlib import Path

import zlab
from pools import (CLAIMS, Now, Pool, get, make_pool, prepare, put, storage_pools, volumes,
                   wait_for_device, with_uuid)
from zlab import MIB, Domain, Lab, zraid


@zlab.options(timeout=240)
def test_pools_come_back(lab: Lab) -> None:
    """After a reboot and after a power cut `start` brings every pool back with its data, one that
    libvirt knows and one that it does not; libvirt still means to start its pool by itself. What
    was claimed or attached before is forgotten."""
    boot, own = Pool("boot", lab.dir / "boot.img"), Pool("own", lab.dir / "own.img")
    if lab.phase == 0:
        make_pool(lab, "boot", "64M")
        make_pool(lab, "own", "64M", "--no-libvirt", "--ram-limit", "32M")
        lab._deferred.clear()       # they are for the next phases
        volume = boot.add_volume("20M")
        uuids = {pool.name: pool.info()["uuid"] for pool in (boot, own)}
        prepare(with_uuid(Domain("before", [{"dev": volume}, {"dev": own.md}])))
        for pool, device in ((boot, volume), (own, own.md)):
            assert pool.fill().users == ["before"]
            put(device, 5 * MIB, 0x10)
        lab.reboot(uuids=uuids, volume=volume, own=own.md)

    volume, byte = lab.state["volume"], 0x10 * lab.phase
    assert zlab.mds() == {} and zlab.loops() == {} and not any(CLAIMS.glob("*/*"))
    assert storage_pools() == {"boot": ["inactive", "yes"]}
    for pool in (boot, own):
        assert pool.now() == Now("inactive", [], "")
        zraid("start", pool.name)
        info = pool.info()
        assert info["state"] == "disk-only" and info["uuid"] == lab.state["uuids"][pool.name]
    assert own.md == lab.state["own"]
    assert storage_pools() == {"boot": ["active", "yes"]}
    assert list(volumes("boot").values()) == [20 * MIB]
    for device in (wait_for_device(volume), own.md):
        assert get(device, 5 * MIB) == bytes([byte]) * 8192

    if lab.phase == 1:
        # What was flushed while both legs had it is on the disk leg.
        for pool, device in ((boot, volume), (own, own.md)):
            pool.attach_and_fill()
            put(device, 5 * MIB, 0x20)
            put(device, 6 * MIB, 0x21)
        lab.power_cut(uuids=lab.state["uuids"], volume=volume, own=lab.state["own"])
    for pool, device in ((boot, volume), (own, own.md)):
        assert get(device, 6 * MIB) == b"\x21" * 8192
        pool.attach_and_fill()
        assert pool.mismatches() == 0
        assert get(device, 5 * MIB) == b"\x20" * 8192
        zraid("undefine", pool.name, "--remove-image")
