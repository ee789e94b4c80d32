"""Somebody does something by hand at the wrong moment, or the host lacks what it always had: the
data stay whole, and the command that cannot go on says what to do."""

import contextlib
import errno
import os
import shutil
import time
from pathlib import Path
from typing import Callable, Iterator

import zlab
from toolbox.pools import (DEFINITIONS, Now, Pool, assert_one_line, assert_same, assert_silent, drop_pool, get,
                   make_pool, prepare, release, sparse, system, with_uuid)
from zlab import MIB, Domain, Lab, sh, sysfs, wait_for, zraid

RUN = Path("/run/zraid")
MODPROBE = Path("/etc/modprobe.d/zz-lab.conf")


class Kept:
    """Random bytes in the array that nothing may change."""

    AT, LENGTH = 24 * MIB, 2 * MIB

    def __init__(self, pool: Pool):
        self.pool = pool
        self.data = os.urandom(self.LENGTH)
        fd = os.open(pool.md, os.O_WRONLY)
        try:
            assert os.pwrite(fd, self.data, self.AT) == self.LENGTH
            os.fsync(fd)
        finally:
            os.close(fd)

    def check(self) -> None:
        zlab.drop_caches()
        assert get(self.pool.md, self.AT, self.LENGTH) == self.data

    def check_image(self) -> None:
        assert zlab.image_bytes(self.pool.image, MIB + self.AT, self.LENGTH) == self.data


def user_of(pool: Pool) -> Domain:
    return with_uuid(Domain(f"user-{pool.name}", [{"dev": pool.md}]))


def refused(*words: object) -> Callable[..., None]:
    """Run a command; the returned function says which words its one line has to have."""
    done = zraid(*words, check=False)
    return lambda *expected: assert_one_line(done, 1, "Next:", *expected)


def ends_well(pool: Pool, kept: Kept) -> None:
    """The pool can do everything, its legs are the same, nothing is lost or left."""
    kept.check()
    domain = user_of(pool)
    assert_silent(prepare(domain))
    pool.fill()
    kept.check()
    zraid("scrub", pool.name)
    assert_silent(release(domain))
    pool.assert_at_rest()
    assert zlab.zrams() == []
    assert list(zlab.loops().values()) == [str(pool.image)]
    kept.check_image()


def let_go_by_hand(loop: str) -> None:
    """What an administrator does with a device that zraid does not know any more."""
    for name in zlab.mds():
        sh(["mdadm", "--stop", f"/dev/{name}"], check=False)
    sh(["losetup", "-d", loop], check=False)
    wait_for(lambda: zlab.name_of(loop) not in zlab.loops(), f"{loop} is free")


def give_the_image_its_name(lab: Lab, pool: Pool, loop: str) -> None:
    """What stop's refusal says: what the loop device alone holds becomes the image, and the pool is
    started from it."""
    copy = lab.dir / "copy"
    sh(["mdadm", "--readonly", pool.md])
    sh(["dd", f"if={loop}", f"of={copy}", "bs=1M", "conv=sparse,fsync"])
    let_go_by_hand(loop)
    copy.rename(pool.image)
    zraid("start", pool.name)


# --- the image

@zlab.options(timeout=240)
def test_image_truncated_while_attached(lab: Lab) -> None:
    """The image is cut short under a mirror: only the RAM leg has the end of the array, and nothing
    drops it. Once the image has its size again, repair brings all of it back."""
    pool = make_pool(lab, "cut", "64M", "--no-libvirt")
    kept = Kept(pool)
    domain = user_of(pool)
    assert_silent(prepare(domain))
    pool.fill()
    loop = pool.info()["disk"]["device"]
    os.truncate(pool.image, 16 * MIB)
    lab.defer(os.truncate, pool.image, 64 * MIB)
    # The fault took effect: the disk leg reads zeros where the data were, and no error told of it.
    zlab.drop_caches()
    assert get(loop, MIB + kept.AT, kept.LENGTH) == bytes(kept.LENGTH)
    kept.check()

    done = release(domain)
    assert_one_line(done, 1, "pool 'cut'", "image was truncated", "only good copy", "Next:")
    assert pool.claimed_by() == []
    for words in (["detach", "cut"], ["stop", "cut"], ["undefine", "cut"]):
        refused(*words)("pool 'cut'", "image was truncated", "only good copy")
    assert pool.now().state == "mirrored"
    kept.check()

    os.truncate(pool.image, 64 * MIB)
    compared = zraid("scrub", "cut", check=False)  # on a slow machine stdout tells how far it has come
    assert compared.rc == 1 and "differ" in compared.err and "Next:" in compared.err, compared.err
    sh(["mdadm", pool.md, "--fail", loop])
    zraid("repair", "cut")
    zlab.wait_state("cut", "mirrored")
    zraid("scrub", "cut")
    zraid("detach", "cut")
    ends_well(pool, kept)


def test_image_truncated_while_stopped(lab: Lab) -> None:
    """An image that is shorter than its pool is not started, and stays as it is; with its old size
    it starts."""
    pool = make_pool(lab, "short", "64M", "--no-libvirt")
    kept = Kept(pool)
    zraid("stop", "short")
    os.truncate(pool.image, 40 * MIB)
    lab.defer(os.truncate, pool.image, 64 * MIB)
    before = system(lab.dir)
    refused("start", "short")("pool 'short'", str(pool.image), str(64 * MIB))
    assert_same(before, system(lab.dir))
    done = prepare(user_of(pool))
    assert_one_line(done, 1, "pool 'short'", str(pool.image))
    release(user_of(pool))
    assert_same(before, system(lab.dir))
    os.truncate(pool.image, 64 * MIB)
    zraid("start", "short")
    ends_well(pool, kept)


def test_image_grown_by_hand(lab: Lab) -> None:
    """An image that somebody made larger works on as what it was defined as, under the mirror, after
    a stop, and with a new RAM leg."""
    pool = make_pool(lab, "grown", "64M", "--no-libvirt")
    kept = Kept(pool)
    pool.attach_and_fill()
    os.truncate(pool.image, 128 * MIB)
    assert pool.image.stat().st_size == 128 * MIB
    sh(["losetup", "--set-capacity", pool.info()["disk"]["device"]])
    assert int(sysfs(pool.info()["disk"]["device"], "size")) * 512 == 128 * MIB
    kept.check()
    zraid("scrub", "grown")
    zraid("detach", "grown")
    zraid("stop", "grown")
    zraid("start", "grown")
    assert int(sysfs(pool.md, "size")) * 512 == 63 * MIB
    pool.attach_and_fill()
    zraid("scrub", "grown")
    zraid("detach", "grown")
    ends_well(pool, kept)


@zlab.options(timeout=240)
def test_image_deleted_while_attached(lab: Lab) -> None:
    """The image is deleted under the mirror: the array works on, and it is not stopped, since what
    it holds is nowhere else. Copied to where the image was, everything is there again."""
    pool = make_pool(lab, "deleted", "64M", "--no-libvirt")
    kept = Kept(pool)
    pool.attach_and_fill()
    loop = pool.info()["disk"]["device"]
    pool.image.unlink()
    assert zlab.loops() == {zlab.name_of(loop): f"{pool.image} (deleted)"}
    lab.defer(let_go_by_hand, loop)
    assert pool.now().state == "mirrored"
    kept.check()
    zraid("detach", "deleted")
    assert pool.now() == Now("disk-only", [], "")
    for words in (["stop", "deleted"], ["undefine", "deleted"], ["undefine", "deleted", "--remove-image", "--yes"]):
        refused(*words)("pool 'deleted'", "image was removed", loop)
        assert pool.now() == Now("disk-only", [], "")
    kept.check()

    give_the_image_its_name(lab, pool, loop)
    ends_well(pool, kept)


@zlab.options(timeout=240)
def test_image_replaced_while_attached(lab: Lab) -> None:
    """Another file takes the image's name under the mirror: the array goes on with the old one and is
    not stopped, or what it holds would be gone; the file with the new name is not touched."""
    pool = make_pool(lab, "replaced", "64M", "--no-libvirt")
    other = sparse(lab.dir / "other", 64 * MIB)
    kept = Kept(pool)
    pool.attach_and_fill()
    loop = pool.info()["disk"]["device"]
    other.rename(pool.image)
    lab.defer(let_go_by_hand, loop)
    assert zlab.loops() == {zlab.name_of(loop): f"{pool.image} (deleted)"}
    assert pool.now().state == "mirrored"
    zraid("detach", "replaced")
    for words in (["stop", "replaced"], ["undefine", "replaced"], ["undefine", "replaced", "--remove-image", "--yes"]):
        refused(*words)("pool 'replaced'", "image was replaced", loop)
        assert pool.now() == Now("disk-only", [], "")
    kept.check()
    assert pool.image.read_bytes() == bytes(64 * MIB)

    sh(["mdadm", "--readonly", pool.md])
    sh(["dd", f"if={loop}", f"of={pool.image}", "bs=1M", "conv=sparse,fsync,notrunc"])
    let_go_by_hand(loop)
    zraid("start", "replaced")
    ends_well(pool, kept)


@zlab.options(timeout=240)
def test_image_replaced_before_attach(lab: Lab) -> None:
    """An older copy takes the image's name while the array is up: a RAM leg, if there is one, is
    filled from what the array holds, never from what the copy holds."""
    pool = make_pool(lab, "copied", "64M", "--no-libvirt")
    older = lab.dir / "older"
    sh(["sync", "-f", lab.dir])
    shutil.copyfile(pool.image, older)
    kept = Kept(pool)
    loop = pool.info()["disk"]["device"]
    older.rename(pool.image)
    lab.defer(let_go_by_hand, loop)
    assert zlab.loops() == {zlab.name_of(loop): f"{pool.image} (deleted)"}
    assert get(pool.image, MIB + kept.AT, kept.LENGTH) == bytes(kept.LENGTH)
    attached = zraid("attach", "copied", check=False)
    if attached.rc == 0:
        pool.fill()
        kept.check()
        zraid("scrub", "copied")
    else:
        assert_one_line(attached, 1, "Next:", "image was replaced")
        assert zlab.zrams() == []
    # A domain starts in any case.
    domain = user_of(pool)
    done = prepare(domain)
    assert (done.rc, done.out) == (0, "") and done.err.count("\n") <= 1, done
    if pool.now().state == "filling":
        pool.fill()
    kept.check()
    release(domain)
    kept.check()
    zraid("detach", "copied")
    kept.check()

    give_the_image_its_name(lab, pool, loop)
    ends_well(pool, kept)


# --- the definition

def test_same_array_twice(lab: Lab) -> None:
    """An image is copied, and so is its definition: the one that comes second is not started, not
    defined, and not prepared for a domain, until the first one is stopped."""
    first = make_pool(lab, "first", "64M", "--no-libvirt")
    kept = Kept(first)
    zraid("stop", "first")
    image = lab.dir / "second.img"
    sh(["cp", "--reflink=always", first.image, image])
    definition = (DEFINITIONS / "first.xml").read_text()
    text = definition.replace("<name>first<", "<name>second<").replace(str(first.image), str(image)).replace(
        'number="100"', 'number="101"')
    assert text.count("second") == 2 and 'number="101"' in text
    zraid("start", "first")

    before = system(lab.dir)
    refused("define", "second", "--no-libvirt", "--image", image)("pool 'second'", "zraid:first")
    assert_same(before, system(lab.dir))

    second = Pool("second", image)
    lab.defer(drop_pool, "second")
    (DEFINITIONS / "second.xml").write_text(text)
    (DEFINITIONS / "second.xml").chmod(0o600)
    assert second.info()["uuid"] == first.info()["uuid"]
    before = system(lab.dir)
    for words in (["start", "second"], ["define", "second", "--no-libvirt", "--image", image]):
        refused(*words)("pool 'second'", "/dev/md100")
        assert_same(before, system(lab.dir))
    domain = with_uuid(Domain("twin", [{"dev": "/dev/md101"}]))
    assert_one_line(prepare(domain), 1, "pool 'second'")
    assert_silent(release(domain))
    assert_same(before, system(lab.dir))
    kept.check()

    # One after the other both work, each on its own image.
    zraid("stop", "first")
    zraid("start", "second")
    assert get(second.md, kept.AT, kept.LENGTH) == kept.data
    refused("start", "first")("pool 'first'", "/dev/md101")
    zraid("undefine", "second", "--remove-image", "--yes")
    zraid("start", "first")
    ends_well(first, kept)


def test_definition_lost(lab: Lab) -> None:
    """The definition is gone while the array is up: define refuses the image, and tells what to do.
    Put back, the pool is as before; without it, the stopped array is taken up by another define, with
    its data and the chunks of its bitmap."""
    pool = make_pool(lab, "lost", "64M", "--no-libvirt", "--bitmap-chunk", "1M")
    kept = Kept(pool)
    pool.attach_and_fill()
    file = DEFINITIONS / "lost.xml"
    definition = file.read_text()
    again = ("define", "lost", "--no-libvirt", "--image", pool.image)
    loop = pool.info()["disk"]["device"]
    file.unlink()
    before = system(lab.dir)
    refused(*again)("pool 'lost'", "is a leg of /dev/md100", f"put '{file}' back", f"losetup -d {loop}")
    assert_same(before, system(lab.dir))
    kept.check()
    file.write_text(definition)
    file.chmod(0o600)
    assert pool.now().state == "mirrored"
    zraid("detach", "lost")

    file.unlink()
    sh(["mdadm", "--stop", pool.md])
    zlab.detach_loop(loop)
    refused(*again, "--bitmap-chunk", "4M")("has a bitmap chunk of 1 MiB, not 4 MiB")
    zraid(*again)
    assert pool.info()["bitmap_chunk_bytes"] == MIB
    ends_well(pool, kept)


def test_definition_edited(lab: Lab) -> None:
    """The image's path in the definition is changed by hand. While the array is up, nothing is done to
    the other image or to the data; stopped, the pool does not start on an image that is not its own."""
    pool = make_pool(lab, "edited", "64M", "--no-libvirt")
    foreign = make_pool(lab, "foreign", "64M", "--no-libvirt")
    zraid("stop", "foreign")
    empty = sparse(lab.dir / "empty", 64 * MIB)
    kept = Kept(pool)
    file = DEFINITIONS / "edited.xml"
    good = file.read_text()
    lab.defer(file.write_text, good)
    md5 = sh(["md5sum", foreign.image, empty]).out

    for other, why in ((empty, "holds no array"), (foreign.image, "another array")):
        file.write_text(good.replace(str(pool.image), str(other)))
        assert pool.info()["image"] == str(other)
        refused("stop", "edited")("pool 'edited'", "image", "replaced")
        done = zraid("attach", "edited", check=False)
        if done.rc == 0:
            pool.fill()
            zraid("scrub", "edited")
        else:
            assert_one_line(done, 1, "Next:", "image", "replaced")
        kept.check()
        zraid("detach", "edited")
        assert zlab.zrams() == []

        file.write_text(good)
        zraid("stop", "edited")
        file.write_text(good.replace(str(pool.image), str(other)))
        before = system(lab.dir)
        refused("start", "edited")("pool 'edited'", str(other), why)
        assert_same(before, system(lab.dir))
        domain = user_of(pool)
        assert_one_line(prepare(domain), 1, "pool 'edited'", str(other), why)
        assert_silent(release(domain))
        assert_same(before, system(lab.dir))
        file.write_text(good)
        zraid("start", "edited")
        kept.check()
    assert sh(["md5sum", foreign.image, empty]).out == md5
    ends_well(pool, kept)


# --- array and legs

def test_array_stopped_by_hand(lab: Lab) -> None:
    """mdadm --stop between two runs, with the RAM leg attached, and with a user: start and the hook
    bring the array back, and the memory of the old RAM leg is given back."""
    pool = make_pool(lab, "halted", "64M", "--no-libvirt")
    kept = Kept(pool)

    def halt() -> None:
        sh(["mdadm", "--stop", pool.md])
        wait_for(lambda: zlab.mds() == {}, "the array is stopped")
        assert pool.now() == Now("inactive", [], "")

    halt()
    refused("attach", "halted")("pool 'halted'", "zraid-pool start halted")
    zraid("start", "halted")
    kept.check()

    pool.attach_and_fill()
    (zram,) = zlab.zrams()
    sequence = sysfs(zram, "diskseq")
    halt()
    zraid("start", "halted")
    kept.check()
    zraid("attach", "halted")
    pool.fill()
    (zram,) = zlab.zrams()
    assert sysfs(zram, "diskseq") != sequence
    zraid("scrub", "halted")

    halt()
    zraid("start", "halted")
    zraid("detach", "halted")
    assert zlab.zrams() == []
    pool.attach_and_fill()
    halt()
    zraid("stop", "halted")
    assert zlab.zrams() == [] and zlab.loops() == {}

    # A domain starts on what is left of it.
    zraid("start", "halted")
    pool.attach_and_fill()
    halt()
    domain = user_of(pool)
    assert_silent(prepare(domain))
    pool.fill()
    assert len(zlab.zrams()) == 1
    assert_silent(release(domain))
    pool.assert_at_rest()
    ends_well(pool, kept)


def test_ram_leg_removed_by_hand(lab: Lab) -> None:
    """mdadm takes the RAM leg out: info does not show it any more, attach and the hook make a new
    one, detach and release give its memory back."""
    pool = make_pool(lab, "taken", "64M", "--no-libvirt")
    kept = Kept(pool)

    def take_out() -> str:
        leg = pool.fill().ram
        device = pool.info()["ram"]["device"]
        sh(["mdadm", pool.md, "--fail", device, "--remove", device])
        wait_for(lambda: len(pool.legs()) == 1, "the RAM leg is out")
        assert pool.now().state == "disk-only" and zlab.zrams() == [zlab.name_of(device)]
        return leg

    zraid("attach", "taken")
    old = take_out()
    zraid("attach", "taken")
    assert pool.fill().ram != old and len(zlab.zrams()) == 1
    zraid("scrub", "taken")
    take_out()
    zraid("detach", "taken")
    pool.assert_at_rest()
    assert zlab.zrams() == []

    domain = user_of(pool)
    assert_silent(prepare(domain))
    take_out()
    kept.check()
    assert_silent(release(domain))
    pool.assert_at_rest()
    assert zlab.zrams() == []
    ends_well(pool, kept)


def test_zram_reset_by_hand(lab: Lab) -> None:
    """The kernel refuses to reset or remove a zram in the array. One that md dropped is reset, or
    removed, or removed and made anew by somebody else: detach and attach take it as it is, and
    somebody else's is not touched."""
    pool = make_pool(lab, "reset", "64M", "--no-libvirt")
    kept = Kept(pool)

    def try_to(path: str, text: str) -> int:
        try:
            Path(path).write_text(text)
            return 0
        except OSError as error:
            return error.errno or -1

    def drop() -> str:
        pool.attach_and_fill()
        device = pool.info()["ram"]["device"]
        name = zlab.name_of(device)
        assert try_to(f"/sys/block/{name}/reset", "1") == errno.EBUSY
        assert try_to("/sys/class/zram-control/hot_remove", name[4:]) == errno.EBUSY
        kept.check()
        zraid("scrub", "reset")
        sh(["mdadm", pool.md, "--fail", device, "--remove", device])
        wait_for(lambda: try_to(f"/sys/block/{name}/reset", "1") == 0, f"{name} is reset")
        assert sysfs(name, "disksize") == "0"
        return name

    def remove(name: str) -> None:
        wait_for(lambda: try_to("/sys/class/zram-control/hot_remove", name[4:]) == 0, f"{name} is removed")
        assert zlab.zrams() == []

    drop()
    zraid("detach", "reset")
    assert zlab.zrams() == []
    drop()
    zraid("attach", "reset")
    pool.fill()
    assert len(zlab.zrams()) == 1
    zraid("detach", "reset")
    remove(drop())
    zraid("detach", "reset")
    pool.assert_at_rest()

    # Somebody else's has the old one's number by now.
    name = drop()
    remove(name)
    assert zlab.read("/sys/class/zram-control/hot_add") == name[4:]
    lab.defer(try_to, "/sys/class/zram-control/hot_remove", name[4:])
    Path(f"/sys/block/{name}/disksize").write_text("16M")
    pool.attach_and_fill()
    assert pool.info()["ram"]["device"] != f"/dev/{name}"
    zraid("scrub", "reset")
    zraid("detach", "reset")
    assert zlab.zrams() == [name] and sysfs(name, "disksize") == str(16 * MIB)
    wait_for(lambda: try_to(f"/sys/block/{name}/reset", "1") == 0, f"{name} is reset")
    remove(name)
    ends_well(pool, kept)


def test_loop_detached_by_hand(lab: Lab) -> None:
    """losetup -d of a loop device in use only marks it: the pool works on, and after stop it is gone,
    as it should be."""
    pool = make_pool(lab, "lazy", "64M", "--no-libvirt")
    kept = Kept(pool)
    for attached in (False, True):
        if attached:
            pool.attach_and_fill()
        loop = zlab.name_of(pool.info()["disk"]["device"])
        sh(["losetup", "-d", f"/dev/{loop}"])
        assert sysfs(loop, "loop/autoclear") == "1" and loop in zlab.loops()
        kept.check()
        pool.attach_and_fill()
        zraid("scrub", "lazy")
        zraid("detach", "lazy")
        pool.assert_at_rest()
        zraid("stop", "lazy")
        assert zlab.loops() == {} and zlab.mds() == {} and zlab.zrams() == []
        zraid("start", "lazy")
        assert sysfs(pool.info()["disk"]["device"], "loop/autoclear") == "0"
        kept.check()
    ends_well(pool, kept)


# --- the host

def udevd_pids() -> str:
    return sh(["pgrep", "-x", "systemd-udevd"], check=False, quiet=True).out


def start_udevd() -> None:
    if not udevd_pids():
        sh(["/lib/systemd/systemd-udevd", "--daemon"])
    sh(["udevadm", "settle", "--timeout=60"])


@zlab.options(timeout=240)
def test_without_udevd(lab: Lab) -> None:
    """udevd does not run: define, attach, detach, stop, start and undefine work as ever."""
    sh(["udevadm", "settle", "--timeout=60"])
    lab.defer(start_udevd)
    sh(["udevadm", "control", "--exit"])
    wait_for(lambda: not udevd_pids(), "udevd ended")
    pool = make_pool(lab, "quiet", "64M", "--no-libvirt")
    kept = Kept(pool)
    for _ in range(2):
        pool.attach_and_fill()
        zraid("scrub", "quiet")
        zraid("detach", "quiet")
        pool.assert_at_rest()
        zraid("stop", "quiet")
        assert zlab.loops() == {} and zlab.mds() == {} and zlab.zrams() == []
        zraid("start", "quiet")
        kept.check()
    assert not udevd_pids()
    start_udevd()
    ends_well(pool, kept)


@contextlib.contextmanager
def module_missing(name: str) -> Iterator[None]:
    """The module is unloaded and cannot be loaded."""
    MODPROBE.write_text(f"install {name} /bin/false\n")
    try:
        sh(["udevadm", "settle", "--timeout=60"], quiet=True)
        if Path(f"/sys/module/{name}").exists():
            sh(["rmmod", name])
        assert sh(["modprobe", name], check=False).rc != 0
        assert not Path(f"/sys/module/{name}").exists()
        yield
        assert not Path(f"/sys/module/{name}").exists()
    finally:
        MODPROBE.unlink()


def test_modules_missing(lab: Lab) -> None:
    """Without zram a domain starts on the disk leg with one warning, and attach says what is missing;
    without raid1 a start fails, says so, and leaves nothing. Back again, all is well."""
    pool = make_pool(lab, "bare", "64M", "--no-libvirt")
    kept = Kept(pool)
    domain = user_of(pool)
    with module_missing("zram"):
        refused("attach", "bare")("pool 'bare'", "zram", "modinfo")
        pool.assert_at_rest()
        done = prepare(domain)
        assert_one_line(done, 0, "warning", "pool 'bare'", "zram")
        assert pool.now() == Now("disk-only", [domain.name], "")
        assert "zram" in pool.info()["attach_problem"]
        kept.check()
        assert_silent(release(domain))
        pool.assert_at_rest()
    pool.attach_and_fill()
    zraid("scrub", "bare")
    zraid("stop", "bare")
    with module_missing("raid1"):
        before = system(lab.dir)
        refused("start", "bare")("pool 'bare'", "raid1", "modinfo")
        assert_same(before, system(lab.dir))
        assert_one_line(prepare(domain), 1, "pool 'bare'", "raid1")
        assert_silent(release(domain))
        assert_same(before, system(lab.dir))
    zraid("start", "bare")
    ends_well(pool, kept)


def test_definitions_on_an_overlay(lab: Lab) -> None:
    """overlayfs has no files without a name (before Linux 6.2): definitions are saved all the same."""
    layers = lab.dir / "layers"
    for name in ("upper", "work"):
        (layers / name).mkdir(parents=True)
    lab.defer(sh, ["umount", DEFINITIONS])
    sh(["mount", "-t", "overlay", "overlay", "-o",
        f"lowerdir={DEFINITIONS},upperdir={layers / 'upper'},workdir={layers / 'work'}", DEFINITIONS])
    with contextlib.suppress(OSError):
        os.close(os.open(DEFINITIONS, os.O_WRONLY | os.O_TMPFILE))
        raise AssertionError("this overlay has such files")
    pool = make_pool(lab, "layered", "64M", "--no-libvirt")
    assert [file.name for file in (layers / "upper").iterdir()] == ["layered.xml"]
    pool.attach_and_fill()
    zraid("undefine", "layered", "--remove-image", "--yes")
    assert [file.name for file in DEFINITIONS.iterdir()] == []


@zlab.options(timeout=240)
def test_run_is_full(lab: Lab) -> None:
    """No byte can be written below /run/zraid: a domain starts on the disk leg with one warning and
    ends without leftovers, attach says why it cannot; a RAM leg that is there is given back by release
    and by stop."""
    pool = make_pool(lab, "crowded", "64M", "--no-libvirt")
    kept = Kept(pool)
    domain = user_of(pool)
    filler = RUN / "filler"
    lab.defer(sh, ["umount", RUN])
    sh(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", RUN])

    def fill_run() -> None:
        with contextlib.suppress(OSError), open(filler, "ab", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        try:
            (RUN / "probe").write_text("x")
            raise AssertionError(f"{RUN} is not full")
        except OSError as error:
            assert error.errno == errno.ENOSPC
        (RUN / "probe").unlink()

    fill_run()
    refused("attach", "crowded")("pool 'crowded'", "No space left on device")
    assert zlab.zrams() == []
    pool.assert_at_rest()
    assert_one_line(prepare(domain), 0, "warning", "pool 'crowded'", "No space left on device")
    assert pool.info()["state"] == "disk-only"
    assert zraid("list").err == ""
    kept.check()
    assert_silent(release(domain))
    pool.assert_at_rest()

    filler.unlink()
    assert_silent(prepare(domain))
    pool.fill()
    fill_run()
    kept.check()
    assert_silent(release(domain))
    pool.assert_at_rest()
    assert zlab.zrams() == []

    filler.unlink()
    pool.attach_and_fill()
    fill_run()
    # It gives the memory back, or says why it does not.
    detached = zraid("detach", "crowded", check=False)
    if detached.rc != 0:
        assert_one_line(detached, 1, "Next:", "No space left on device")
        assert pool.now().state == "mirrored"
    zraid("stop", "crowded")
    assert zlab.loops() == {} and zlab.mds() == {} and zlab.zrams() == []
    zraid("start", "crowded")
    filler.unlink()
    ends_well(pool, kept)


def set_clock(seconds: float) -> None:
    sh(["date", "-s", f"@{int(seconds)}"])


def test_clock_jumps(lab: Lab) -> None:
    """The clock goes ten years forward and twenty back between attach, detach, stop and start: nothing
    depends on it."""
    pool = make_pool(lab, "clock", "64M", "--no-libvirt")
    kept = Kept(pool)
    year = 365 * 86400
    begun, then = time.time(), time.monotonic()
    lab.defer(lambda: set_clock(begun + time.monotonic() - then))

    pool.attach_and_fill()
    set_clock(begun + 10 * year)
    assert time.time() > begun + 9 * year
    zraid("scrub", "clock")
    zraid("detach", "clock")
    pool.assert_at_rest()
    pool.attach_and_fill()
    set_clock(begun - 10 * year)
    assert time.time() < begun - 9 * year
    kept.check()
    zraid("wait", "clock", "--timeout", "20")
    zraid("scrub", "clock")
    zraid("detach", "clock")
    zraid("stop", "clock")
    set_clock(begun - 20 * year)
    zraid("start", "clock")
    kept.check()
    zraid("attach", "clock")
    set_clock(begun + 10 * year)
    pool.fill()
    zraid("stop", "clock")
    set_clock(begun - 20 * year)
    zraid("start", "clock")
    ends_well(pool, kept)
