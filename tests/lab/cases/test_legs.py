"""Disk legs that are no file of a local file system: block devices, and a file on NFS."""

import os
import signal
from pathlib import Path
from threading import Thread

import zlab
from toolbox.monitoring import Monitor
from toolbox.nfs import NfsServer
from toolbox.pools import Pool, get, make_pool, put, sparse
from zlab import MIB, Domain, Lab, sh, wait_for, wait_state, zraid

IMAGE = "/dev/legs/disk"


def settle() -> None:
    sh(["udevadm", "settle", "--timeout=30"], quiet=True)


def volume_group(lab: Lab) -> None:
    """A volume group `legs` on a loop device, with a logical volume `disk` of 128 MiB."""
    loop = sh(["losetup", "--find", "--show", sparse(lab.dir / "pv", 512 * MIB)]).out.strip()
    lab.defer(zlab.detach_loop, loop)
    sh(["vgcreate", "-q", "legs", loop])
    lab.defer(sh, ["vgremove", "-q", "-y", "legs"])
    sh(["lvcreate", "-q", "-y", "-Zn", "-Wn", "-n", "disk", "-L", "128M", "legs"])
    settle()


def define(*options: str, image: str = IMAGE) -> zlab.Done:
    return zraid("define", "lv", "--image", image, "--ram-limit", "256M", *options, check=False)


def assert_refused(what: str, *options: str, image: str = IMAGE, code: int = 1) -> None:
    done = define(*options, image=image)
    assert done.rc == code and what in done.err, done
    assert zraid("info", "lv", check=False).rc == 1


def blank() -> None:
    sh(["dd", "if=/dev/zero", f"of={IMAGE}", "bs=1M", "count=4", "conv=fsync"])


def refusals(lab: Lab) -> None:
    """Whatever is in use, holds something, or may be another device tomorrow is refused."""
    node = os.path.realpath(IMAGE)
    assert_refused(f"{IMAGE}", image=node)              # as the name to give instead
    assert_refused("the kernel's name for a device", image=node)
    assert_refused("there is no device '/dev/legs/none'", "--size", "64M", image="/dev/legs/none")
    assert_refused("has all its blocks", "--preallocate", code=2)
    assert_refused("leave out --size", "--size", "64M")

    sh(["dmsetup", "create", "upper", "--table", f"0 2048 linear {IMAGE} 0"])
    assert_refused(f"{node} is part of /dev/dm-")
    sh(["dmsetup", "remove", "--retry", "upper"])

    domain = lab.use(Domain("owner", [{"dev": IMAGE}]))
    domain.define()
    assert_refused("is a disk of domain 'owner'")
    domain.remove()

    sh(["mkfs.ext4", "-q", IMAGE])
    assert_refused("holds something already: ext4")
    folder = lab.dir / "mounted"
    folder.mkdir()
    sh(["mount", IMAGE, folder])
    assert_refused(f"is mounted at '{folder}'")
    sh(["umount", folder])
    sh(["wipefs", "--all", "--quiet", IMAGE])
    assert_refused("data without a signature")
    blank()


def assert_left_alone() -> None:
    """udev's rules keep their hands off the device below the loop device, which still counts as
    ready: systemd waits for it at boot."""
    for action in ("add", "change"):
        sh(["udevadm", "trigger", f"--action={action}", "--subsystem-match=block", "--settle"])
    assert set(zlab.mds()) <= {"md100"}
    properties = sh(["udevadm", "info", "--query=property", IMAGE]).out.splitlines()
    assert "ID_FS_TYPE=zraid_leg" in properties and "UDISKS_IGNORE=1" in properties, properties
    assert "SYSTEMD_READY=0" not in properties, properties


@zlab.options(timeout=400)
def test_logical_volume(lab: Lab) -> None:
    """A pool on a logical volume, from define to undefine: with a domain, stopped and started, taken
    over from an array that came up on the device itself, made larger while the domain runs."""
    volume_group(lab)
    refusals(lab)
    lab.defer(zraid, "undefine", "lv")
    done = define()
    assert done.rc == 0, done
    pool = Pool("lv", Path(IMAGE))
    info = pool.info()
    assert info["image_type"] == "block" and info["size_bytes"] == 128 * MIB, info
    assert "type=\"block\"" in zraid("dumpxml", "lv").out
    assert define().rc == 0                             # the same again
    assert_left_alone()
    zraid("vol-create", "lv", "100M")
    put("/dev/md100p1", 8 * MIB, 0x61)
    assert sh(["lvremove", "-q", "-y", IMAGE], check=False).rc != 0
    assert define("--required").rc == 1                 # another definition

    zraid("stop", "lv")
    assert_left_alone()
    sh(["mdadm", "--assemble", "--run", "/dev/md77", IMAGE])
    zraid("start", "lv")
    assert set(zlab.mds()) == {"md100"}
    assert get("/dev/md100p1", 8 * MIB) == b"\x61" * 8192
    pool.assert_at_rest()

    domain = lab.use(Domain("user", [{"dev": "/dev/zraid/lv/md100p1"}]))
    domain.start()
    pool.fill()
    assert pool.info()["ram"]["fill"] == "full"
    assert "(block device)" in zraid("info", "lv").out
    domain.write(20 * MIB, 4096, 0x62, flush=True)

    small = zraid("resize", "lv", "192M", check=False)
    assert small.rc == 1 and "lvextend -L 201326592b" in small.err, small
    sh(["lvextend", "-q", "-L", "192M", IMAGE])
    part = zraid("resize", "lv", "160M", check=False)
    assert part.rc == 1 and "zraid-pool resize lv 201326592" in part.err, part
    zraid("resize", "lv", "192M", "--volume", "md100p1")
    zraid("resize", "lv", "192M")
    assert pool.info()["size_bytes"] == 192 * MIB
    assert int(zlab.sysfs("md100", "size")) * 512 == 191 * MIB
    pool.fill()
    domain.check(20 * MIB, 4096, 0x62)
    domain.write(150 * MIB, 4096, 0x63, flush=True)
    assert pool.mismatches() == 0
    domain.destroy()
    pool.assert_at_rest()
    assert get("/dev/md100p1", 150 * MIB)[:4096] == b"\x63" * 4096

    kept = zraid("undefine", "lv", "--remove-image", "--yes", "--keep-references", check=False)
    assert kept.rc == 1 and "is a block device" in kept.err, kept
    zraid("undefine", "lv", "--keep-references")
    assert define().rc == 0                             # with what is on it
    assert get("/dev/md100p1", 8 * MIB) == b"\x61" * 8192
    zraid("stop", "lv")
    sh(["lvchange", "-an", IMAGE])
    gone = zraid("start", "lv", check=False)
    assert gone.rc == 1 and "a block device, is not there" in gone.err, gone
    assert not Path(IMAGE).exists()


class NbdServer:
    """nbd-server on the loopback, and the device that is connected to it."""

    DEVICE = "/dev/nbd0"
    PORT = "10809"

    def __init__(self, lab: Lab, image: Path):
        self._image, self._pid = image, lab.dir / "nbd.pid"
        sh(["modprobe", "nbd"])
        lab.defer(self.kill)
        self.start()
        lab.defer(self.disconnect)
        self.connect()

    def start(self) -> None:
        sh(["nbd-server", self.PORT, self._image, "-C", "/dev/null", "-p", self._pid])

    def kill(self) -> None:
        """The server and its child for the connection."""
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "comm").read_text() == "nbd-server\n":
                    os.kill(int(process.name), signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError):
                pass

    def connect(self) -> None:
        wait_for(lambda: sh(["nbd-client", "-N", "", "127.0.0.1", self.PORT, self.DEVICE],
                            check=False).rc == 0, "the device is connected")

    def disconnect(self) -> None:
        sh(["nbd-client", "-d", self.DEVICE])


@zlab.options(timeout=400)
def test_nbd(lab: Lab) -> None:
    """The server of the disk leg is killed under a running domain, which goes on from RAM; once the
    device is connected again, the monitor takes it back, and nothing is missing on it."""
    file = sparse(lab.dir / "nbd.img", 128 * MIB)
    server = NbdServer(lab, file)
    lab.defer(zraid, "undefine", "nbd")
    zraid("define", "nbd", "--image", server.DEVICE, "--ram-limit", "128M")
    zraid("vol-create", "nbd", "100M")
    pool = Pool("nbd", Path(server.DEVICE))
    monitor = Monitor(lab)
    domain = lab.use(Domain("user", [{"dev": "/dev/zraid/nbd/md100p1"}]))
    domain.start()
    pool.fill()
    domain.write(8 * MIB, 65536, 0x61, flush=True)

    server.kill()
    domain.write(16 * MIB, 65536, 0x62, flush=True)
    wait_state("nbd", "ram-only")
    domain.write(32 * MIB, 65536, 0x63, flush=True)
    domain.check(8 * MIB, 65536, 0x61)
    done = zraid("detach", "nbd", check=False)
    assert done.rc == 1 and "only" in done.err, done
    wait_for(lambda: server.DEVICE not in zlab.loops().values(), "the monitor lets go of the device")

    server.start()
    server.disconnect()
    server.connect()
    pool.wait_compared()
    zraid("scrub", "nbd")
    domain.check(16 * MIB, 65536, 0x62)
    domain.destroy()
    wait_for(lambda: pool.info()["ram"] is None, "the RAM leg is detached")
    pool.assert_at_rest()
    for at, byte in ((8, 0x61), (16, 0x62), (32, 0x63)):
        assert get("/dev/md100p1", at * MIB) == bytes([byte]) * 8192
    zraid("stop", "nbd")
    server.disconnect()
    # The monitor has it open until its next look.
    wait_for(lambda: zlab.sysfs("nbd0", "size") == "0", "the device is let go of")
    gone = zraid("start", "nbd", check=False)
    assert gone.rc == 1 and "connect or activate the device" in gone.err, gone
    server.connect()
    zraid("start", "nbd")
    monitor.end()


@zlab.options(timeout=400)
def test_nfs(lab: Lab) -> None:
    """An image on NFS: only its data are copied to the RAM leg. While the server is away, reads go on
    and a flush waits; when it is back, the flush ends, and nothing is missing."""
    mount = lab.dir / "mount"
    server = NfsServer(lab, lab.dir / "export", mount)
    pool = make_pool(lab, "nfs", "128M", "--no-libvirt", image=mount / "nfs.img")
    put(pool.md, 8 * MIB, 0x61)
    zraid("stop", "nfs")
    zraid("start", "nfs")
    pool.attach_and_fill()
    assert pool.info()["ram"]["fill"] == "sparse"
    assert pool.info()["ram"]["data_bytes"] < 64 * MIB

    server.stop()
    writer = Thread(target=put, args=(pool.md, 32 * MIB, 0x62), daemon=True)
    writer.start()
    assert get(pool.md, 8 * MIB) == b"\x61" * 8192
    writer.join(3)
    assert writer.is_alive(), "flushed while there is no server"
    server.start()
    writer.join(120)
    assert not writer.is_alive()
    assert pool.now().state == "mirrored"
    zraid("scrub", "nfs")
    zraid("detach", "nfs")
    assert get(pool.md, 32 * MIB) == b"\x62" * 8192
    assert zlab.image_bytes(pool.image, 33 * MIB, 8192) == b"\x62" * 8192
