"""Pools whose volumes are no partitions: logical volumes, and files on an XFS."""

import os
from pathlib import Path
from typing import Dict, List

import zlab
from scenarios.kills import calls_of, chosen, kill_at
from toolbox.pools import HOOK, Now, Pool, assert_silent, get, make_pool, prepare, put, release, volumes, with_uuid
from zlab import MIB, Domain, Lab, sh, virsh, wait_for, zraid

IMAGES = Path("/var/lib/libvirt/images")
FILE_SYSTEM = "0c6f2c1a-7d0e-4c0e-8d6b-3f1d7a6b9e24"


def capacity(domain: Domain, target: str = "vda") -> int:
    info = virsh("domblkinfo", domain.name, target).out
    return int(next(line.split()[1] for line in info.splitlines() if line.startswith("Capacity")))


def mount_points() -> List[str]:
    return [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]


def properties(device: str) -> Dict[str, str]:
    lines = sh(["udevadm", "info", "--query=property", device], quiet=True).out.splitlines()
    return dict(line.split("=", 1) for line in lines)


def boots_anew(pool: Pool) -> None:
    """What a boot does for a pool, without libvirt."""
    virsh("pool-destroy", pool.name)
    zraid("stop", pool.name, "--array-only")
    assert zlab.mds() == {} and zlab.loops() == {}
    zraid("start", pool.name, "--array-only")


def programs_run_by(command: List[str], stdin: str) -> List[str]:
    """Names of the programs that a command starts."""
    trace = Path("/tmp/programs.trace")
    sh(["strace", "-f", "-qq", "-e", "trace=execve", "-e", "status=successful", "-o", trace, *command], input=stdin)
    return [line.split('"')[1] for line in trace.read_text().splitlines() if "execve(" in line][1:]


@zlab.options(timeout=300)
def test_logical(lab: Lab) -> None:
    """A volume group on the array: named volumes by virsh and zraid-pool, in domains under all their
    names; up and down with the array; growing under a domain."""
    pool = make_pool(lab, "my-lv", "128M", "--type", "logical")
    assert pool.info()["type"] == "logical"
    zraid("vol-create", "my-lv", "20M", "--name", "web-root")
    virsh("vol-create-as", "my-lv", "db", "16M")
    assert volumes("my-lv") == {"web-root": 20 * MIB, "db": 16 * MIB}
    for words, why in ((["20M"], "no name for a volume"), (["20M", "--name", "a/b"], "no name for a volume"),
                       (["20M", "--name", "q", "--format", "qcow2"], "only a pool of type fs")):
        refused = zraid("vol-create", "my-lv", *words, check=False)
        assert refused.rc == 2 and why in refused.err, refused
    zlab.settle()
    node = Path("/dev/my-lv/web-root")
    assert Path("/dev/zraid/my-lv/web-root").resolve() == node.resolve()
    seen = properties(str(node))
    assert seen["SYSTEMD_READY"] == "0" and seen["UDISKS_IGNORE"] == "1", seen

    # virt-install writes what a domain can be started with.
    xml = sh(["virt-install", "--name", "x", "--memory", "32", "--osinfo", "generic", "--import", "--print-xml",
              "--disk", "vol=my-lv/db"]).out
    assert "/dev/my-lv/db" in xml, xml
    disk = zraid("disk-xml", "my-lv", "db", "--target", "vdb").out
    assert 'type="block"' in disk and '"/dev/zraid/my-lv/db"' in disk, disk

    domain = lab.use(Domain("user", [{"pool": "my-lv", "volume": "web-root"}, {"dev": "/dev/mapper/my--lv-db"}]))
    domain.start()
    assert pool.fill().users == ["user"]
    domain.write(MIB, 8192, 0x51, flush=True)
    domain.write(2 * MIB, 8192, 0x52, disk=1, flush=True)

    in_use = zraid("stop", "my-lv", check=False)
    assert in_use.rc == 1 and "used by 'user'" in in_use.err, in_use
    used = zraid("vol-delete", "my-lv", "web-root", "--yes", check=False)
    assert used.rc == 1 and "in use by qemu-system" in used.err, used

    done = zraid("resize", "my-lv", "256M", "--volume", "db")
    assert "known to: user" in done.out, done
    grown = capacity(domain, "vdb")
    assert volumes("my-lv")["db"] == grown and 200 * MIB < grown < 256 * MIB
    domain.check(2 * MIB, 8192, 0x52, disk=1)
    domain.write(grown - MIB, 8192, 0x53, disk=1, flush=True)
    pool.fill()
    zraid("resize", "my-lv", "256M", "--volume", "db")      # nothing is left to do
    assert volumes("my-lv")["db"] == grown
    assert pool.mismatches() == 0
    domain.destroy()
    pool.assert_at_rest()

    # Something that is no domain of libvirt's: all volumes stay.
    fd = os.open("/dev/my-lv/db", os.O_RDONLY)
    busy = zraid("stop", "my-lv", check=False)
    assert busy.rc == 1 and "volume db is in use" in busy.err, busy
    assert node.exists()
    os.close(fd)

    boots_anew(pool)
    assert get(node, MIB) == b"\x51" * 8192 and get("/dev/my-lv/db", grown - MIB) == b"\x53" * 8192
    virsh("pool-start", "my-lv")

    # The array up, the group not: the next start, and a domain, bring it up.
    virsh("pool-destroy", "my-lv")
    assert not node.exists()
    zraid("start", "my-lv")
    assert node.exists()
    zraid("stop", "my-lv")
    wait_for(lambda: not Path("/dev/zraid/my-lv/db").is_symlink(), "the link went")
    named = with_uuid(Domain("named", [{"dev": "/dev/zraid/my-lv/db"}]))
    for name in ("/dev/zraid/my-lv/db", "/dev/my-lv/db", "/dev/mapper/my--lv-db"):
        named.disks = [{"dev": name}]
        assert_silent(prepare(named))
        assert Path(name).is_block_device() and pool.fill().users == ["named"]
        assert_silent(release(named))
        if name != "/dev/mapper/my--lv-db":
            virsh("pool-destroy", "my-lv", check=False)
            zraid("stop", "my-lv")
    assert programs_run_by([str(HOOK), "named", "prepare", "begin", "-"], named.xml()) == []
    release(named)

    zraid("start", "my-lv")
    # The host is not offered what a guest writes by its UUID.
    sh(["mkfs.ext4", "-q", "-F", "-U", FILE_SYSTEM, "/dev/my-lv/db"])
    sh(["udevadm", "trigger", "--action=change", "--settle", "/dev/my-lv/db"])
    assert not (Path("/dev/disk/by-uuid") / FILE_SYSTEM).is_symlink()
    assert all(Path(name).is_block_device() for name in ("/dev/my-lv/db", "/dev/mapper/my--lv-db",
                                                         "/dev/zraid/my-lv/db"))
    zraid("vol-delete", "my-lv", "db", "--yes", "--keep-references")
    virsh("vol-delete", "web-root", "--pool", "my-lv")
    assert volumes("my-lv") == {}
    zraid("stop", "my-lv")
    zraid("start", "my-lv")


@zlab.options(timeout=300)
def test_fs(lab: Lab) -> None:
    """An XFS on the array: raw and qcow2 files by virsh and zraid-pool, in domains; a snapshot of
    libvirt's; mounted with the array; growing under a domain."""
    pool = make_pool(lab, "files", "400M", "--type", "fs")
    folder = IMAGES / "files"
    assert pool.info()["target"] == str(folder) and str(folder) in mount_points()
    zraid("vol-create", "files", "20M", "--name", "web.img")
    zraid("vol-create", "files", "40M", "--name", "db.qcow2", "--format", "qcow2")
    virsh("vol-create-as", "files", "old.img", "16M", "--format", "raw")
    assert volumes("files") == {"web.img": 20 * MIB, "db.qcow2": 40 * MIB, "old.img": 16 * MIB}
    assert "qcow2" in zraid("vol-list", "files").out
    zlab.settle()
    seen = properties(pool.md)
    assert "SYSTEMD_READY" not in seen and seen["UDISKS_IGNORE"] == "1", seen
    xml = sh(["virt-install", "--name", "x", "--memory", "32", "--osinfo", "generic", "--import", "--print-xml",
              "--disk", "vol=files/web.img"]).out
    assert str(folder / "web.img") in xml, xml
    disk = zraid("disk-xml", "files", "db.qcow2", "--target", "vdb").out
    assert 'type="qcow2"' in disk and f'file="{folder}/db.qcow2"' in disk, disk

    domain = lab.use(Domain("user", [{"pool": "files", "volume": "web.img"}, {"file": f"{folder}/db.qcow2"}]))
    virsh("define", "--validate", "/dev/stdin",
          input=domain.xml().replace(domain.disk_xml(1, domain.disks[1]), disk))
    domain.start()
    assert pool.fill().users == ["user"]
    domain.write(MIB, 8192, 0x61, flush=True)
    domain.write(2 * MIB, 8192, 0x62, disk=1, flush=True)
    used = zraid("vol-delete", "files", "web.img", "--yes", check=False)
    assert used.rc == 1 and "in use by qemu-system" in used.err, used

    done = zraid("resize", "files", "600M", "--volume", "db.qcow2")
    assert "known to: user" in done.out, done
    grown = capacity(domain, "vdb")
    assert volumes("files")["db.qcow2"] == grown and 300 * MIB < grown < 600 * MIB
    domain.check(2 * MIB, 8192, 0x62, disk=1)
    domain.write(grown - MIB, 8192, 0x63, disk=1, flush=True)
    pool.fill()
    assert pool.mismatches() == 0
    domain.destroy()
    pool.assert_at_rest()

    # Snapshot and back, of a domain whose disks are all qcow2.
    snapped = lab.use(Domain("snapped", [{"file": f"{folder}/db.qcow2"}]))
    virsh("define", "/dev/stdin",
          input=snapped.xml().replace(snapped.disk_xml(0, snapped.disks[0]), disk.replace("vdb", "vda")))
    virsh("snapshot-create-as", "snapped", "before")
    snapped.start()
    assert pool.fill().users == ["snapped"]
    snapped.write(2 * MIB, 8192, 0x64, flush=True)
    snapped.destroy()
    virsh("snapshot-revert", "snapped", "before")
    virsh("snapshot-delete", "snapped", "before")
    snapped.start()
    snapped.check(2 * MIB, 8192, 0x62)
    snapped.destroy()

    here = os.open(folder / "web.img", os.O_RDONLY)
    busy = zraid("stop", "files", check=False)
    assert busy.rc == 1 and "is in use by" in busy.err and str(os.getpid()) in busy.err, busy
    os.close(here)

    boots_anew(pool)
    assert get(folder / "web.img", MIB) == b"\x61" * 8192
    virsh("pool-start", "files")
    virsh("pool-destroy", "files")
    assert str(folder) not in mount_points()
    assert "not mounted" in pool.info()["trouble"]
    zraid("start", "files")
    assert pool.info()["trouble"] is None

    zraid("stop", "files")
    assert not (folder / "web.img").exists()
    named = with_uuid(Domain("named", [{"file": f"{folder}/web.img"}]))
    assert_silent(prepare(named))
    assert str(folder) in mount_points() and pool.fill().users == ["named"]
    assert programs_run_by([str(HOOK), "named", "prepare", "begin", "-"], named.xml()) == []
    assert_silent(release(named))
    assert pool.now() == Now("disk-only", [], "")

    zraid("start", "files")
    zraid("vol-delete", "files", "old.img", "--yes")
    virsh("vol-delete", "db.qcow2", "--pool", "files")
    zraid("resize", "files", "640M", "--volume", "web.img")     # no domain has it
    assert list(volumes("files")) == ["web.img"] and volumes("files")["web.img"] > 400 * MIB

    # The image, defined anew, brings its files along.
    zraid("undefine", "files", "--keep-references")
    assert not folder.exists()
    zraid("define", "files", "--image", pool.image, "--type", "fs", "--target", lab.dir / "elsewhere")
    assert get(lab.dir / "elsewhere/web.img", MIB) == b"\x61" * 8192


def test_refused(lab: Lab) -> None:
    """A layout that would be in the way of something on the host is not made, and one that is on an
    image is not overwritten."""
    other = lab.dir / "other"
    other.write_bytes(b"")
    os.truncate(other, 64 * MIB)
    loop = sh(["losetup", "--find", "--show", other]).out.strip()
    lab.defer(zlab.detach_loop, loop)
    sh(["vgcreate", "-q", "taken", loop])
    lab.defer(sh, ["vgremove", "-q", "-f", "taken"])
    folder = lab.dir / "full"
    folder.mkdir()
    (folder / "file").write_text("")
    image = lab.dir / "new.img"
    for name, words, rc, why in (
            ("taken", ["--type", "logical", "--size", "64M"], 1, "volume group 'taken' already"),
            ("null", ["--type", "logical", "--size", "64M"], 1, "'/dev/null' is there already"),
            ("x", ["--type", "fs", "--size", "64M"], 2, "too small"),
            ("x", ["--type", "fs", "--size", "400M", "--target", folder], 1, "is not empty"),
            ("x", ["--size", "64M", "--target", folder], 2, "is not mounted"),
            ("x", ["--type", "dir", "--size", "64M"], 2, "choose disk")):
        refused = zraid("define", name, "--image", image, *words, check=False)
        assert refused.rc == rc and why in refused.err, refused
        assert not image.exists()
    pool = make_pool(lab, "held", "400M", "--no-libvirt")
    put(pool.md, 0, 0x71)
    zraid("undefine", "held")
    for kind in ("logical", "fs"):
        refused = zraid("define", "held", "--image", pool.image, "--type", kind, "--no-libvirt", check=False)
        assert refused.rc == 1 and "holds something" in refused.err, refused
        assert zlab.mds() == {} and list(zlab.loops()) == [zlab.name_of(loop)]
    assert get(pool.image, MIB) == b"\x71" * 8192


def is_up(kind: str) -> bool:
    """Can the volumes of the pool be used?"""
    if kind == "logical":
        return Path("/dev/logical/v").is_block_device()
    return str(IMAGES / kind) in mount_points()


def kills(lab: Lab, kind: str, size: str) -> None:
    """A pool of that type and name: define, start and stop are killed, and done again."""
    words = ["define", kind, "--image", str(lab.dir / "image"), "--type", kind, "--size", size, "--no-libvirt"]
    log = Path("/tmp/calls")

    def undefine() -> None:
        zraid("undefine", kind, "--remove-image", "--yes")
    calls = calls_of(["zraid-pool", *words], log)
    undefine()
    for call in chosen(calls, (0.4, 0.75, 0.95)):
        kill_at(call, ["zraid-pool", *words], may_finish=True)
        zraid(*words)
        info = zlab.info(kind)
        assert info["state"] == "disk-only" and info["trouble"] is None, info
        undefine()
    zraid(*words)
    if kind == "logical":
        sh(["lvcreate", "-q", "-n", "v", "-L", "8M", kind])
    for verb, opposite in (("stop", "start"), ("start", "stop")):
        zraid(opposite, kind)
        calls = calls_of(["zraid-pool", verb, kind], log)
        for call in chosen(calls, (0.4, 0.7, 0.9)):
            zraid(opposite, kind)
            kill_at(call, ["zraid-pool", verb, kind], may_finish=True)
            zraid("start", kind)
            assert is_up(kind)
    zraid("stop", kind)
    assert zlab.mds() == {} and zlab.loops() == {}
    undefine()


@zlab.options(timeout=400)
def test_killed_logical(lab: Lab) -> None:
    """Whatever is killed on the way to a volume group and back: the same again comes to its end."""
    kills(lab, "logical", "64M")


@zlab.options(timeout=400)
def test_killed_fs(lab: Lab) -> None:
    """The same with a file system."""
    kills(lab, "fs", "320M")
