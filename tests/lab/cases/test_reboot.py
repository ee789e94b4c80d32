"""Pools over a reboot and a power cut."""

from pathlib import Path
from typing import List

import zlab
from toolbox.pools import (CLAIMS, Now, Pool, get, make_pool, prepare, put, storage_pools, volumes,
                   wait_for_device, with_uuid)
from zlab import MIB, Domain, Lab, sh, zraid


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
        zraid("undefine", pool.name, "--remove-image", "--yes")


def exec_of(unit: str, what: str) -> List[str]:
    """The command line of an installed unit, %i as in `unit`."""
    template, _, instance = unit.partition("@")
    file = Path("/lib/systemd/system") / (f"{template}@.service" if instance else unit)
    lines = [line for line in file.read_text().splitlines() if line.startswith(f"{what}=")]
    assert len(lines) == 1, lines
    return lines[0].partition("=")[2].replace("%i", instance.removesuffix(".service")).split()


@zlab.options(timeout=240)
def test_boot_and_shutdown_by_units(lab: Lab) -> None:
    """What systemd runs, in its order, by hand: the generator knows the pools that start with the
    host, their arrays come before libvirt, libvirt then starts the storage pool without help; at
    the end all arrays go, one that is in use stays without keeping the others."""
    make_pool(lab, "boot", "64M", "--attach", "always")
    make_pool(lab, "own", "64M", "--no-libvirt")
    make_pool(lab, "manual", "64M", "--no-autostart")
    zraid("stop", "--all")
    assert zlab.mds() == {} and storage_pools()["boot"] == ["inactive", "yes"]
    zlab.kill_libvirtd()
    lab.defer(zlab.start_libvirtd)

    folder = lab.dir / "generator"
    for _ in range(2):
        sh(["/lib/systemd/system-generators/zraid-generator", folder, folder, folder])
    units = sorted(link.name for link in (folder / "multi-user.target.wants").iterdir())
    assert units == ["zraid-pool@boot.service", "zraid-pool@own.service"]
    for unit in units:
        assert (folder / "multi-user.target.wants" / unit).resolve().name == "zraid-pool@.service"
        assert f'RequiresMountsFor="{lab.dir}/' in (folder / f"{unit}.d/image.conf").read_text()
        sh(exec_of(unit, "ExecStart"))
    assert len(zlab.mds()) == 2 and not Path("/run/zraid/claims/boot").exists()
    assert zraid("wait", "boot", "--timeout", "60").rc == 0

    zlab.start_libvirtd()
    assert storage_pools()["boot"] == ["active", "yes"]
    assert storage_pools()["manual"] == ["inactive", "no"]

    zlab.kill_libvirtd()
    own = Pool("own", lab.dir / "own.img")
    with open(own.md, "rb"):
        failed = sh(exec_of("zraid-pools.service", "ExecStop"), check=False)
        assert failed.rc == 1 and "1 of 3 pools could not be stopped" in failed.err, failed.err
        assert list(zlab.mds()) == [zlab.name_of(own.md)]
    sh(exec_of("zraid-pools.service", "ExecStop"))
    assert zlab.mds() == {} and zlab.loops() == {} and zlab.zrams() == []
