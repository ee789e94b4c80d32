"""What may be missing on the image keeps the RAM leg: whatever error, whatever sign, whatever was
done about it meanwhile. Each test ends with the data in the image."""

import os
import subprocess
from pathlib import Path
from typing import List

import zlab
from toolbox.faults import FlakyDisk, SmallDisk, write_pattern
from toolbox.monitoring import Monitor
from toolbox.pools import Now, Pool, get, make_pool
from zlab import MIB, Done, Lab, sh, wait_for, wait_state, zraid

AT, LENGTH = 40 * MIB, 2 * MIB


def refused(command: str, pool: Pool, *words: str) -> None:
    """It fails, says so, and leaves the very RAM leg."""
    before = pool.now().ram
    done = zraid(*command.split(), pool.name, check=False)
    assert done.rc == 1, (command, done)
    missing = [word for word in (*words, "Next:") if word not in done.err]
    assert not missing, (command, missing, done.err)
    assert pool.now().ram == before != "", (command, pool.info())


def in_doubt(pool: Pool) -> bool:
    return pool.info()["disk"]["in_doubt"]


def data_is_in_image(pool: Pool, data: bytes) -> None:
    zlab.drop_caches()
    assert zlab.image_bytes(pool.image, MIB + AT, len(data)) == data


def injected(pool: Pool, fault: str) -> Done:
    """A detach during which a system call on the image fails."""
    return sh(["strace", "-f", "-qq", "-o", "/dev/null", "-P", pool.image, "-e", f"inject={fault}",
               "zraid-pool", "detach", pool.name], check=False)


@zlab.options(timeout=240)
def test_any_error_of_the_image(lab: Lab) -> None:
    """File systems record what the device said, and tell it once: each such number keeps the RAM
    leg, also those that a descriptor which cannot be asked answers each time."""
    pool = make_pool(lab, "errno", "64M", "--no-libvirt")
    data = write_pattern(pool.md, AT, LENGTH)
    pool.attach_and_fill()
    ram = pool.now().ram
    faults = [f"sync_file_range:error={name}:when=1" for name in
              ("ENODATA", "EREMOTEIO", "ENOLINK", "ESTALE", "EOPNOTSUPP")]
    faults += ["fsync:error=ETIMEDOUT:when=1", "sync_file_range:error=EROFS", "fsync:error=EROFS"]
    for fault in faults:
        done = injected(pool, fault)
        assert done.rc == 1 and "only good copy" in done.err, (fault, done)
        assert in_doubt(pool) and pool.now() == Now("mirrored", [], ram), fault
        refused("detach", pool, "was not compared")
        zraid("repair", "errno")
        assert not in_doubt(pool)
    done = injected(pool, "sync_file_range:error=EINVAL")       # it cannot be asked: fsync says enough
    assert done.rc == 0, done
    pool.assert_at_rest()
    data_is_in_image(pool, data)


@zlab.options(timeout=240)
def test_an_error_when_the_ram_leg_is_out(lab: Lab) -> None:
    """The image's device refuses something between the proof and the moment in which the memory is
    given back: it is not given back, and nobody else does until the administrator says so."""
    pool = make_pool(lab, "between", "64M", "--no-libvirt")
    data = write_pattern(pool.md, AT, LENGTH)
    pool.attach_and_fill()
    zram = pool.info()["ram"]["device"]
    number = zlab.sysfs(zram, "diskseq")
    done = injected(pool, "fsync:error=EIO:when=3+")            # proof, list of data, proof
    assert done.rc == 1 and "Next:" in done.err, done
    info = pool.info()
    assert info["state"] == "disk-only" and zram in info["trouble"], info
    for command in ("detach", "attach", "stop", "repair", "undefine"):
        done = zraid(command, "between", check=False)
        assert done.rc == 1 and zram in done.err and "--from image" in done.err, (command, done)
    sh(["zraid-monitor", "--once"], check=False)
    assert zlab.sysfs(zram, "diskseq") == number
    assert get(zram, MIB + AT, LENGTH) == data
    zraid("repair", "between", "--from", "image")
    assert pool.fill().ram != "" and not in_doubt(pool)         # it was attached by hand
    zraid("detach", "between")
    pool.assert_at_rest()
    assert zlab.zrams() == []
    data_is_in_image(pool, data)


def written_behind(pool: Pool, disk: SmallDisk) -> bytes:
    """The file system gives up, and a guest writes and flushes. md writes nothing of its own
    meanwhile, which would show it that the leg takes no data."""
    (Path("/sys/block") / zlab.name_of(pool.md) / "md/safe_mode_delay").write_text("100")
    write_pattern(pool.md, AT, LENGTH)
    sh(["sync", "-f", disk.folder])
    disk.give_up()
    return write_pattern(pool.md, AT, LENGTH)


def ends_well(pool: Pool, data: bytes) -> None:
    pool.wait_compared()
    zraid("scrub", pool.name)
    zraid("detach", pool.name)
    data_is_in_image(pool, data)


@zlab.options(timeout=300)
def test_a_file_system_that_went_read_only(lab: Lab) -> None:
    """An ext4 that gave up takes what is written into the page cache, flushes nothing of it, and
    records no error: the RAM leg stays, with and without zraid-monitor, until the file system is
    mended and the image has it all."""
    disk = SmallDisk(lab, "ext4")
    pool = make_pool(lab, "given-up", "128M", "--no-libvirt", image=disk.folder / "image")
    pool.attach_and_fill()
    data = written_behind(pool, disk)
    for command in ("detach", "stop", "undefine"):
        refused(command, pool)
    info = pool.info()                              # md may have noticed it as well
    assert info["disk"]["in_doubt"] or info["state"] == "ram-only", info
    assert "umount" in info["trouble"] or "compared" in info["trouble"], info
    zraid("repair", "given-up", check=False)        # lets go of the image
    assert pool.info()["state"] == "ram-only"
    disk.mend()
    zraid("repair", "given-up")
    ends_well(pool, data)

    pool.attach_and_fill()
    Monitor(lab)
    wait_for(lambda: zlab.open_by("zraid-monitor", pool.image), "the monitor looks at the image")
    data = written_behind(pool, disk)
    wait_state("given-up", "ram-only", 20)
    refused("detach", pool, "only good copy")
    disk.mend()
    ends_well(pool, data)


@zlab.options(timeout=300)
def test_a_file_system_that_was_shut_down(lab: Lab) -> None:
    """A look at an image on an xfs that was shut down is an error: every command that tells works
    all the same, and says what is the matter and the way back; nothing drops the RAM leg."""
    disk = SmallDisk(lab, "xfs")
    pool = make_pool(lab, "shut", "128M", "--no-libvirt", image=disk.folder / "image")
    pool.attach_and_fill()
    write_pattern(pool.md, AT, LENGTH)
    disk.give_up()
    for command in ("detach", "stop"):
        refused(command, pool, "only good copy", "umount")
    data = write_pattern(pool.md, AT, LENGTH)
    info = wait_state("shut", "ram-only")
    assert "Input/output error" in info["trouble"] and "umount" in info["trouble"], info
    for words in (["info", "shut"], ["list"], ["budget"], ["events", "shut"], ["dumpxml", "shut"]):
        done = zraid(*words)
        assert words[0] in ("budget", "events", "dumpxml") or "ram-only" in done.out, done
    assert "ram-only" in zraid("doctor", check=False).out
    done = zraid("repair", "shut", check=False)
    assert done.rc == 1 and "umount" in done.err, done
    disk.mend()
    zraid("repair", "shut")
    ends_well(pool, data)


@zlab.options(timeout=240)
def test_a_ram_leg_that_fails_in_doubt(lab: Lab) -> None:
    """It may be the only good copy: neither command nor monitor gives its memory back, and a domain
    gets its array without it. The administrator, who compared it, says that the image is right."""
    pool = make_pool(lab, "kept", "64M", "--no-libvirt")
    data = write_pattern(pool.md, AT, LENGTH)
    pool.attach_and_fill()
    assert injected(pool, "fsync:error=ENOSPC").rc == 1
    zram = pool.info()["ram"]["device"]
    number = zlab.sysfs(zram, "diskseq")
    sh(["mdadm", pool.md, "--fail", zram])
    for out in (False, True):
        if out:
            sh(["mdadm", pool.md, "--remove", zram])
        for command in ("detach", "attach", "stop", "repair"):
            done = zraid(command, "kept", check=False)
            assert done.rc == 1 and zram in done.err and "No space left" in done.err, (command, done)
        assert sh(["zraid-monitor", "--once"], check=False).rc == 1
        assert zlab.sysfs(zram, "diskseq") == number
        assert zram in pool.info()["trouble"]
    zraid("start", "kept")
    assert pool.info()["state"] == "disk-only"
    assert get(zram, MIB + AT, LENGTH) == data
    zraid("repair", "kept", "--from", "image")
    assert not in_doubt(pool)
    pool.fill()
    assert zlab.sysfs(pool.info()["ram"]["device"], "diskseq") != number
    zraid("scrub", "kept")


@zlab.options(timeout=240)
def test_an_image_that_was_cut_stays_in_doubt(lab: Lab) -> None:
    """To make it as long again mends nothing: what was behind the cut is in the RAM leg alone. Seen
    while it was short, or by what it lacks afterwards."""
    pool = make_pool(lab, "cut", "128M", "--no-libvirt")
    lab.defer(os.truncate, pool.image, 128 * MIB)
    data = write_pattern(pool.md, AT, 8 * MIB)
    pool.attach_and_fill()
    sh(["fallocate", "--punch-hole", "--offset", str(MIB + AT), "--length", str(4 * MIB), pool.image])
    refused("stop", pool, "cut out")
    zraid("repair", "cut")              # what it copies takes room also where nothing was
    os.truncate(pool.image, 20 * MIB)
    refused("detach", pool, "truncated")
    os.truncate(pool.image, 128 * MIB)
    refused("detach", pool, "was not compared")
    zraid("repair", "cut")
    zraid("detach", "cut")
    data_is_in_image(pool, data)

    pool.attach_and_fill()
    os.truncate(pool.image, 20 * MIB)
    os.truncate(pool.image, 128 * MIB)
    refused("detach", pool, "cut out")
    zraid("repair", "cut")
    zraid("detach", "cut")
    data_is_in_image(pool, data)

    Monitor(lab)                        # which sees it by itself
    pool.attach_and_fill()
    wait_for(lambda: zlab.open_by("zraid-monitor", pool.image), "the monitor looks at the image")
    os.truncate(pool.image, 20 * MIB)
    wait_for(lambda: in_doubt(pool), "the monitor sees it", 20)
    os.truncate(pool.image, 128 * MIB)
    pool.wait_compared()
    zraid("detach", "cut")
    data_is_in_image(pool, data)


def hold_open(lab: Lab, path: str) -> subprocess.Popen:
    process = subprocess.Popen(["sleep", "600"], stdin=open(path, "rb"))
    lab.defer(process.wait)
    lab.defer(process.kill)
    return process


@zlab.options(timeout=240)
def test_a_stop_that_cannot_be(lab: Lab) -> None:
    """Whatever has the array open is named, and the RAM leg stays; then it stops."""
    pool = make_pool(lab, "held", "64M", "--no-libvirt")
    pool.attach_and_fill()
    sh(["mkfs.ext4", "-q", pool.md])
    folder = lab.dir / "mounted"
    folder.mkdir()
    sh(["mount", pool.md, folder])
    for command in ("stop", "undefine"):
        refused(command, pool, "mounted", str(folder))
    sh(["umount", folder])
    process = hold_open(lab, pool.md)
    for command in ("stop", "undefine"):
        refused(command, pool, f"sleep ({process.pid})")
    process.kill()
    process.wait()
    loop = sh(["losetup", "-f", "--show", pool.md]).out.strip()
    refused("stop", pool, loop, "losetup -d")
    sh(["losetup", "-d", loop])
    elsewhere = subprocess.Popen(["unshare", "--mount", "sh", "-c",
                                  f"mount {pool.md} {folder}; touch {lab.dir}/there; sleep 600"])
    lab.defer(elsewhere.wait)
    lab.defer(elsewhere.kill)
    wait_for((lab.dir / "there").exists, "it is mounted elsewhere")
    refused("stop", pool, "mounted where process")
    for pid in elsewhere_processes(pool):
        os.kill(pid, 9)
    wait_for(lambda: not elsewhere_processes(pool), "that ended")
    zraid("stop", "held")
    assert zlab.zrams() == []


def elsewhere_processes(pool: Pool) -> List[int]:
    """Processes with a mount of the array that is not ours."""
    found = []
    for mounts in Path("/proc").glob("[0-9]*/mountinfo"):
        try:
            if f" {pool.md} " in mounts.read_text():
                found.append(int(mounts.parent.name))
        except OSError:
            continue
    return found


def corrupt(device: str, at: int, length: int) -> bytes:
    """Other bytes on one leg, past the array."""
    return write_pattern(device, at, length)


@zlab.options(timeout=300)
def test_a_scrub_that_finds_a_difference(lab: Lab) -> None:
    """Nobody knows which leg is right: both stay as they are, and a pool in doubt says so, until the
    administrator says which one counts."""
    pool = make_pool(lab, "rot", "64M", "--no-libvirt")
    data = write_pattern(pool.md, AT, LENGTH)
    pool.attach_and_fill()
    wrong = corrupt(pool.info()["ram"]["device"], MIB + AT, MIB)
    done = zraid("scrub", "rot", check=False)
    assert done.rc == 1 and "--from ram" in done.err and "--from image" in done.err, done
    assert in_doubt(pool) and "--from ram" in pool.info()["trouble"]
    refused("detach", pool, "--from ram")
    refused("repair", pool, "--from ram")
    assert sh(["zraid-monitor", "--once"], check=False).rc == 1
    assert get(pool.info()["ram"]["device"], MIB + AT, MIB) == wrong
    data_is_in_image(pool, data)
    zraid("repair", "rot", "--from", "image")
    pool.attach_and_fill()
    zraid("scrub", "rot")
    data_is_in_image(pool, data)

    # The image is what rots.
    wrong = corrupt(str(pool.image), MIB + AT, MIB)
    sh(["blockdev", "--flushbufs", pool.info()["disk"]["device"]])
    assert zraid("scrub", "rot", check=False).rc == 1
    zraid("repair", "rot", "--from", "ram")
    assert not in_doubt(pool)
    zraid("scrub", "rot")
    zraid("detach", "rot")
    data_is_in_image(pool, data)


@zlab.options(timeout=240)
def test_discards_that_the_disk_leg_cannot_do(lab: Lab) -> None:
    """The legs stay the same: the array offers no discards, also when the disk leg came back."""
    sh(["modprobe", "brd", "rd_nr=1", f"rd_size={64 * 1024}"])
    lab.defer(sh, ["modprobe", "-r", "brd"])
    sh(["dmsetup", "create", "undiscarding", "--table", f"0 {128 * 1024} linear /dev/ram0 0"])
    lab.defer(sh, ["dmsetup", "remove", "--retry", "undiscarding"])
    zlab.settle()
    pool = Pool("solid", Path("/dev/mapper/undiscarding"))
    lab.defer(sh, ["wipefs", "--all", pool.image])
    lab.defer(zraid, "undefine", "solid")
    zraid("define", "solid", "--no-libvirt", "--image", pool.image)
    pool.attach_and_fill()

    def discard() -> None:
        write_pattern(pool.md, 8 * MIB, 16 * MIB)
        sh(["blkdiscard", "-o", str(8 * MIB), "-l", str(16 * MIB), pool.md], check=False)
        zraid("scrub", "solid")
    discard()
    disk = pool.info()["disk"]["device"]
    sh(["mdadm", pool.md, "--fail", disk])
    zraid("repair", "solid")
    discard()
    zraid("detach", "solid")
    zraid("stop", "solid")
    zraid("start", "solid")
    pool.attach_and_fill()
    discard()


@zlab.options(timeout=240)
def test_discards_that_both_legs_can_do(lab: Lab) -> None:
    """They are passed on, and give back memory and space."""
    pool = make_pool(lab, "airy", "64M", "--no-libvirt")
    pool.attach_and_fill()
    write_pattern(pool.md, 8 * MIB, 16 * MIB)
    before = os.stat(pool.image).st_blocks
    sh(["blkdiscard", "-o", str(8 * MIB), "-l", str(16 * MIB), pool.md])
    assert os.stat(pool.image).st_blocks < before - 16 * 1024
    zraid("scrub", "airy")
    zraid("detach", "airy")


@zlab.options(timeout=240)
def test_a_stopped_libvirtd_blinds_nothing(lab: Lab) -> None:
    """The monitor asks it who still runs, and does not wait: an error of the image is seen meanwhile,
    and the commands that tell work."""
    disk = FlakyDisk(lab)
    pool = make_pool(lab, "blind", "128M", "--no-libvirt", image=disk.folder / "image")
    write_pattern(pool.md, AT, LENGTH)
    pool.attach_and_fill()
    claim = Path("/run/zraid/claims/blind")
    claim.mkdir(parents=True, exist_ok=True)
    uuid = "2b0c1a54-5c38-4b8e-9d3c-5d1f3f6f0d01"
    (claim / f"{uuid}.json").write_text(f'{{"domain": "gone", "uuid": "{uuid}"}}\n')
    lab.defer(sh, ["rm", "-rf", claim])
    daemon = zlab.pids_of("libvirtd")[0]
    os.kill(daemon, 19)
    lab.defer(os.kill, daemon, 18)
    Monitor(lab)
    wait_for(lambda: zlab.open_by("zraid-monitor", pool.image), "the monitor looks at the image")
    disk.fail_below(pool.image, MIB + AT, LENGTH)
    fd = os.open(pool.md, os.O_WRONLY)
    os.pwrite(fd, os.urandom(LENGTH), AT)
    os.fsync(fd)
    os.close(fd)
    wait_for(lambda: pool.info()["state"] == "ram-only" or in_doubt(pool), "the monitor sees it", 20)
    zraid("list")
    disk.switch("linear")
    os.kill(daemon, 18)
    # The domain that nobody knows was its only user.
    wait_for(lambda: pool.now() == Now("disk-only", [], ""), "the legs are compared, the RAM leg goes", 60)
    assert not in_doubt(pool)
    pool.assert_at_rest()
