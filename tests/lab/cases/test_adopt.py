"""A domain's image is taken into a pool in place, and given back."""

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Dict, List, Tuple

import zlab
from scenarios import kills
from scenarios.kills import calls_of, kill_at
from toolbox.nfs import NfsServer
from toolbox.pools import (DEFINITIONS, assert_same, files_below, get, process_arguments, put, system,
                   wait_for_device)
from zlab import MIB, Domain, Done, Lab, sh, virsh, zraid

ADOPTED = Path("/etc/zraid/adopted")
FRONT = 2 * MIB

# Reads the disk's second sector through the BIOS and sends its first 16 bytes to the serial port.
READ_SECOND_SECTOR = bytes([
    0x31, 0xC0, 0x8E, 0xD8, 0x8E, 0xC0, 0x8E, 0xD0, 0xBC, 0x00, 0x7C,   # ds = es = ss = 0; sp = 7c00
    0xB8, 0x01, 0x02, 0xBB, 0x00, 0x80,             # read one sector to 8000
    0xB9, 0x02, 0x00, 0xB6, 0x00, 0xCD, 0x13,       # cylinder 0, head 0, sector 2; dl is the boot disk
    0xBE, 0x00, 0x80, 0xB9, 0x10, 0x00,             # si = 8000, 16 bytes
    0xBA, 0xF8, 0x03, 0xAC, 0xEE, 0xE2, 0xFC,       # dx = 3f8; lodsb; out; loop
    0xFA, 0xF4, 0xEB, 0xFC])                        # cli; hlt
MARK = b"second sector 42"


def make_image(path: Path, size: int) -> Path:
    """A disk with a boot sector, a mark behind it, data, holes, and data up to its very end."""
    with open(path, "wb") as file:
        file.write(zlab.boot_sector(READ_SECOND_SECTOR) + MARK)
        for at in (MIB, 5 * MIB, size - 3 * MIB):
            file.seek(at)
            file.write(os.urandom(300_000))
        file.seek(size - 1000)
        file.write(b"\xee" * 1000)
    path.chmod(0o640)
    return path


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def xml_of(domain: Domain) -> str:
    return virsh("dumpxml", domain.name, "--inactive", "--security-info", quiet=True).out


def make_domain(lab: Lab, name: str, image: Path) -> Domain:
    disk = {"file": str(image), "xml": "<serial>S1</serial><boot order='1'/>"}
    lab.defer(release, name)
    return lab.use(Domain(name, [disk], serial=Path(f"/tmp/{name}.serial"))).define()


def release(name: str) -> None:
    """For the end of a test."""
    virsh("destroy", name, check=False, quiet=True)
    for record in ADOPTED.glob("*.json"):
        if json.loads(record.read_text())["domain"] == name:
            zraid("release", name, "vda")


def hidden(image: Path) -> Path:
    return Path(f"{image}.zraid")


def assert_refused(done: Done, *words: str) -> None:
    assert done.rc == 1 and done.out == "" and done.err.count("\n") == 1, done
    assert all(word in done.err for word in words), done


@zlab.options(timeout=300)
def test_there_and_back(lab: Lab) -> None:
    """The guest finds its old bytes, writes, and has a RAM leg; release gives the same file back, of
    its old length, and the old XML. Nothing else of the domain changes."""
    size = 24 * MIB + 12345                         # no multiple of anything
    image = make_image(lab.dir / "web.img", size)
    link = lab.dir / "link.img"
    link.symlink_to(image)
    before, status = digest(image), image.stat()
    domain = make_domain(lab, "web", link)
    old_xml, nothing = xml_of(domain), system()

    picture = {**system(lab.dir), **files_below(Path("/etc/libvirt/qemu"))}
    plan = zraid("adopt", "web", "vda", "--dry-run").out
    for words in ("Pool 'web-vda': /dev/md100, ", f"'{image}' becomes '{hidden(image)}'", "2 MiB are inserted",
                  "nothing is copied", f'<source file="{link}"', '<source dev="/dev/md100p1"/>',
                  "Nothing was changed"):
        assert words in plan, plan
    with open(image, "rb"):
        assert_refused(zraid("adopt", "web", "vda", "--dry-run", check=False), "is in use")
    assert_same(picture, {**system(lab.dir), **files_below(Path("/etc/libvirt/qemu"))})

    # Adopted and released without a start between: the very same.
    done = zraid("adopt", "web", "vda", "--ram-limit", "64M")
    assert "pool 'web-vda': /dev/md100p1 over" in done.out and "release web vda" in done.out, done
    assert not image.exists() and zlab.info("web-vda")["state"] == "disk-only"
    record = ADOPTED / "web-vda.json"
    assert record.stat().st_mode & 0o777 == 0o600 and [f.name for f in ADOPTED.iterdir()] == [record.name]
    zraid("adopt", "web", "vda")                    # again: nothing to do
    assert_refused(zraid("undefine", "web-vda", "--remove-image", "--yes", check=False), "release web vda")
    picture = {**system(lab.dir), **files_below(Path("/etc/libvirt/qemu"))}
    plan = zraid("release", "web", "vda", "--dry-run").out
    for words in (f"'{hidden(image)}' becomes '{image}' again", "2 MiB in front", "nothing is copied",
                  f'<source file="{link}"', "'web-vda', /dev/md100, is taken away", "Nothing was changed"):
        assert words in plan, plan
    assert_same(picture, {**system(lab.dir), **files_below(Path("/etc/libvirt/qemu"))})
    zraid("release", "web", "vda")
    assert digest(image) == before and xml_of(domain) == old_xml
    now = image.stat()
    assert (now.st_ino, now.st_mode, now.st_uid, now.st_size) == (
        status.st_ino, status.st_mode, status.st_uid, size)
    assert_same(nothing, system())
    assert_refused(zraid("release", "web", "vda", check=False), "was not adopted")

    # With a run of the domain.
    zraid("adopt", "web", "vda", "--ram-limit", "64M", "--name", "fast")
    new_xml = xml_of(domain)
    for part in ("<source dev='/dev/md100p1'/>", "cache='none' io='native'", "<serial>S1</serial>",
                 "<boot order='1'/>", "discard='unmap'"):
        assert part in new_xml, new_xml
    domain.start()
    zlab.wait_state("fast", "mirrored")
    zlab.wait_for(lambda: MARK in Path("/tmp/web.serial").read_bytes(), "the guest read its second sector")
    assert "logical_block_size = 512 " in domain.hmp("info qtree")
    domain.check(size - 1000, 1000, 0xEE)
    domain.write(7 * MIB + 512, 512, 0x77, flush=True)          # a single sector of the guest's
    for options in ([], ["--dry-run"]):
        assert_refused(zraid("release", "web", "vda", *options, check=False), "domain 'web' runs")
    domain.destroy()
    # What the administrator changes meanwhile stays.
    virsh("define", "/dev/stdin", input=xml_of(domain).replace("<serial>S1", "<serial>S2")
          .replace("<vcpu placement='static'>1", "<vcpu placement='static'>2"))
    zraid("release", "web", "vda")
    assert xml_of(domain) == old_xml.replace("<serial>S1", "<serial>S2").replace(
        "<vcpu placement='static'>1", "<vcpu placement='static'>2")
    assert image.stat().st_size == size and get(image, 7 * MIB + 512, 512) == b"\x77" * 512
    put(image, 7 * MIB + 512, 0, 512)
    assert digest(image) == before
    assert_same(nothing, system())


def test_refused(lab: Lab) -> None:
    """What cannot be adopted, and when a disk cannot be released; each with its reason, and nothing
    is changed."""
    image = make_image(lab.dir / "no.img", 20 * MIB)
    domain = make_domain(lab, "no", image)
    # Nobody has an open file renamed below him.
    picture = {**system(lab.dir), **files_below(Path("/etc/libvirt/qemu"))}

    def refused(*words: str, domain: str = "no", target: str = "vda") -> None:
        assert_refused(zraid("adopt", domain, target, check=False), *words)

    def edited(old: str, new: str) -> str:
        xml = xml_of(domain)
        assert old in xml, xml
        return xml.replace(old, new)

    refused("no domain 'other'", domain="other")
    refused("no disk 'vdb'", "domblklist", target="vdb")
    with open(image, "rb"):
        refused("is in use", "fuser")
    loop = sh(["losetup", "--find", "--show", "--read-only", image]).out.strip()
    refused(f"attached to {loop}")
    sh(["losetup", "--detach", loop])
    zlab.settle()
    os.link(image, lab.dir / "second.img")
    refused("hard link", "find -samefile")
    (lab.dir / "second.img").unlink()
    hidden(image).write_text("")
    refused("there is a file", "no.img.zraid")
    hidden(image).unlink()
    virsh("start", "no")
    refused("domain 'no' runs", "shut it down")
    virsh("managedsave", "no")
    refused("is saved", "managedsave-remove")
    virsh("managedsave-remove", "no")
    with lab.use(Domain("also", [{"file": str(image)}])).define():
        refused("also disk 'vda' of domain 'also'")
    plain = xml_of(domain)
    source = f"<source file='{image}'/>"
    for old, new, word in ((source, source + "<readonly/>", "is read-only"),
                           (source, source + "<shareable/>", "is shared"),
                           ("type='raw'", "type='qcow2'", "qcow2, not raw"),
                           (f"<disk type='file' device='disk'>\n      <driver name='qemu' type='raw' cache='none' "
                            f"io='threads' discard='unmap' detect_zeroes='unmap'/>\n      {source}",
                            "<disk type='block' device='disk'><driver name='qemu' type='raw'/>"
                            "<source dev='/dev/md7p1'/>", "on '/dev/md7p1' already")):
        virsh("define", "/dev/stdin", input=edited(old, new))
        refused(word)
        virsh("define", "/dev/stdin", input=plain)
    assert_same(picture, {**system(lab.dir), **files_below(Path("/etc/libvirt/qemu"))})

    zraid("adopt", "no", "vda")
    clone = lab.use(Domain("clone", [{"dev": "/dev/md100p1"}])).define()
    assert_refused(zraid("release", "no", "vda", check=False), "of domain 'clone' is on the pool too")
    clone.remove()
    make_image(image, MIB * 4)
    assert_refused(zraid("release", "no", "vda", check=False), "there are both")
    image.unlink()
    zraid("resize", "no-vda", "40M")
    sh(["sfdisk", "--append", "--quiet", "--force", "/dev/md100"], input=",4M\n")
    assert_refused(zraid("release", "no", "vda", check=False), "was resized")
    # By hand: as it was.
    zraid("stop", "no-vda")
    os.truncate(hidden(image), 23 * MIB)
    definition = DEFINITIONS / "no-vda.xml"
    definition.write_text(definition.read_text().replace(str(40 * MIB), str(23 * MIB)))
    record = ADOPTED / "no-vda.json"
    text = record.read_text()
    record.write_text(text.replace('"adopted"', '"adopting"'))
    zraid("release", "no", "vda")
    assert not record.exists()


@zlab.options(timeout=600)
def test_killed(lab: Lab) -> None:
    """adopt and release are killed: at no moment has the old name other bytes than the old disk, and
    the same command finishes it, or release undoes it."""
    size = 18 * MIB + 512
    image = make_image(lab.dir / "kill.img", size)
    before = digest(image)
    domain = make_domain(lab, "kill", image)
    old_xml, nothing = xml_of(domain), system()
    adopt, release_it = ["zraid-pool", "adopt", "kill", "vda"], ["zraid-pool", "release", "kill", "vda"]

    def assert_safe() -> None:
        """The domain has its disk, by the one way or the other, or none."""
        if image.exists():
            assert digest(image) == before
        elif Path("/dev/md100p1").exists() and "/dev/md100p1" in xml_of(domain):
            assert get("/dev/md100p1", 0, 528)[512:] == MARK

    def assert_released() -> None:
        assert digest(image) == before and xml_of(domain) == old_xml
        assert_same(nothing, system())

    def assert_adopted() -> None:
        wait_for_device("/dev/md100p1")
        assert hashlib.sha256(get("/dev/md100p1", 0, size)).hexdigest() == before
        assert not (ADOPTED / "kill-vda.map").exists() and "/dev/md100p1" in xml_of(domain)

    adopt_calls = calls_of(adopt, Path("/tmp/adopt.calls"))
    assert_adopted()
    release_calls = calls_of(release_it, Path("/tmp/release.calls"))
    assert_released()
    zlab.say(f"adopt {adopt_calls}\nrelease {release_calls}")
    # Before the file loses its name only locks are written, and a file without a name.
    for number, call in enumerate(picked(adopt_calls, adopt_calls.index(("renameat2", 1)))):
        killed = kill_at(call, adopt, may_finish=True)
        assert_safe()
        if number % 2 == 0 or not killed:
            sh(adopt)
            assert_adopted()
        done = sh(release_it, check=False)
        # Killed before it had written anything down there is nothing to undo.
        assert done.rc == 0 or "was not adopted" in done.err, done
        assert_released()
    for call in picked(release_calls):
        sh(adopt)
        kill_at(call, release_it, may_finish=True)
        assert_safe()
        done = sh(release_it, check=False)
        assert done.rc == 0 or "was not adopted" in done.err, done
        assert_released()


def picked(calls: List[kills.Call], first: int = 0) -> List[kills.Call]:
    """Around each change of the image's file, from the first one on, and some of all others."""
    names = ("renameat2", "fallocate", "ftruncate")
    near = [call for call in calls[first:] if call[0] in names]
    return [*near, *kills.chosen([call for call in calls if call not in near], (0.4, 0.9))]


def test_power_cut_in_a_shift(lab: Lab) -> None:
    """A power cut may end the file system's shift between two extents. What it leaves is made here by
    hand: the bytes behind a gap have moved, those before it have not."""
    size = 20 * MIB
    image = make_image(lab.dir / "cut.img", size)
    before = digest(image)
    make_domain(lab, "cut", image)
    adopt, back = ["zraid-pool", "adopt", "cut", "vda"], ["zraid-pool", "release", "cut", "vda"]
    for then in (adopt, back):
        # Killed when the map is there and nothing is moved; two calls tried whether it can be.
        kill_at(("fallocate", 3), adopt)
        assert hidden(image).exists() and (ADOPTED / "cut-vda.map").exists()
        sh(["fallocate", "--insert-range", "--offset", str(5 * MIB), "--length", str(FRONT), hidden(image)])
        sh(then)
        if then is adopt:
            assert hashlib.sha256(get("/dev/md100p1", 0, size)).hexdigest() == before
            sh(back)
        assert digest(image) == before
    sh(adopt)
    # Behind the hole that the front was: the first bytes are back, the others not yet.
    kill_at(("fallocate", 1), back)
    sh(["fallocate", "--collapse-range", "--offset", "0", "--length", str(FRONT), hidden(image)])
    sh(["fallocate", "--insert-range", "--offset", str(5 * MIB), "--length", str(FRONT), hidden(image)])
    assert_refused(sh(["zraid-pool", "start", "cut-vda"], check=False), "holds no array")
    sh(back)
    assert digest(image) == before and image.stat().st_size == size


def test_other_file_systems(lab: Lab) -> None:
    """The same on ext4; one that cannot insert refuses, and all is as before. On NFS it is copied."""
    size = 17 * MIB + 100
    disk, ext4, tmpfs = lab.dir / "ext4.disk", lab.dir / "ext4", lab.dir / "tmpfs"
    sh(["truncate", "--size", "100M", disk])
    sh(["mke2fs", "-q", "-t", "ext4", disk])
    for folder, words in ((ext4, ["-o", "loop", disk]), (tmpfs, ["-t", "tmpfs", "none"])):
        folder.mkdir()
        lab.defer(sh, ["umount", folder])
        sh(["mount", *words, folder])
    image = make_image(ext4 / "e.img", size)
    before = digest(image)
    domain = make_domain(lab, "ext4", image)
    old_xml = xml_of(domain)
    zraid("adopt", "ext4", "vda")
    assert hashlib.sha256(get("/dev/md100p1", 0, size)).hexdigest() == before
    zraid("release", "ext4", "vda")
    assert digest(image) == before and xml_of(domain) == old_xml

    other = make_image(tmpfs / "t.img", size)
    before = digest(other)
    domain = make_domain(lab, "tmpfs", other)
    old_xml, nothing = xml_of(domain), system(tmpfs)
    assert_refused(zraid("adopt", "tmpfs", "vda", check=False), "its file system can", "--copy")
    assert digest(other) == before and xml_of(domain) == old_xml
    assert_same(nothing, system(tmpfs))

    # NFS, which has no leases either.
    mount = lab.dir / "nfs"
    NfsServer(lab, lab.dir / "export", mount)
    far = make_image(mount / "n.img", size)
    before = digest(far)
    domain = make_domain(lab, "nfs", far)
    old_xml = xml_of(domain)
    assert_refused(zraid("adopt", "nfs", "vda", check=False), "its file system can", "--copy")
    with open(far, "rb"):
        assert_refused(zraid("adopt", "nfs", "vda", "--copy", check=False), "is in use: python3 (")
    zraid("adopt", "nfs", "vda", "--copy")
    assert hashlib.sha256(get("/dev/md100p1", 0, size)).hexdigest() == before
    zraid("release", "nfs", "vda")
    assert digest(far) == before and xml_of(domain) == old_xml


def kept(image: Path) -> Path:
    return Path(f"{image}.before-zraid")


def small_tmpfs(lab: Lab, size: str) -> Path:
    """A file system that cannot insert a range."""
    folder = lab.dir / "tmpfs"
    folder.mkdir()
    lab.defer(sh, ["umount", folder])
    sh(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder])
    return folder


@zlab.options(timeout=300)
def test_copied(lab: Lab) -> None:
    """Where the file system cannot do it in place the disk is copied, and back; the old image is kept,
    what the guest writes comes back, and for what does not fit nothing is begun."""
    folder = small_tmpfs(lab, "8M")
    size = 40 * MIB + 12345
    image = make_image(folder / "a b,c.img", size)
    image.chmod(0o604)
    os.chown(image, 1234, 5678)
    os.setxattr(image, "trusted.note", b"text")
    before = digest(image)
    domain = make_domain(lab, "copy", image)
    old_xml, nothing = xml_of(domain), system(folder)
    (folder / "ballast").write_bytes(b"x" * 5 * MIB)
    assert_refused(zraid("adopt", "copy", "vda", "--copy", check=False), "the copy needs", "MiB free")
    (folder / "ballast").unlink()
    assert_same(nothing, system(folder))

    assert_refused(zraid("adopt", "copy", "vda", "--dry-run", check=False), "cannot do without copying", "--copy")
    plan = zraid("adopt", "copy", "vda", "--copy", "--dry-run").out
    for words in (f"'{hidden(image)}' is made, and", "MiB at most are copied",
                  f"'{image}' becomes '{kept(image)}' and is kept"):
        assert words in plan, plan
    assert_same(nothing, system(folder))
    done = zraid("adopt", "copy", "vda", "--copy", "--ram-limit", "64M")
    for words in (f"/dev/md100p1 over '{hidden(image)}'", f"is kept: '{kept(image)}'", "release copy vda"):
        assert words in done.out, done
    assert digest(kept(image)) == before and not image.exists()
    assert hashlib.sha256(get("/dev/md100p1", 0, size)).hexdigest() == before
    assert hidden(image).stat().st_blocks * 512 < 4 * MIB, "holes stay holes"
    zraid("adopt", "copy", "vda", "--copy")                     # again: nothing to do
    assert_refused(zraid("undefine", "copy-vda", "--yes", check=False), "release copy vda")
    (folder / "ballast").write_bytes(b"x" * 5 * MIB)
    assert_refused(zraid("release", "copy", "vda", check=False), "the copy needs", "MiB free", kept(image).name)
    (folder / "ballast").unlink()

    domain.start()
    zlab.wait_state("copy-vda", "mirrored")
    zlab.wait_for(lambda: MARK in Path("/tmp/copy.serial").read_bytes(), "the guest read its second sector")
    domain.write(7 * MIB + 512, 512, 0x77, flush=True)
    assert_refused(zraid("release", "copy", "vda", check=False), "domain 'copy' runs")
    domain.destroy()
    image.write_text("")
    for options in ([], ["--dry-run"]):
        assert_refused(zraid("release", "copy", "vda", *options, check=False), f"there is a file '{image}'")
    image.unlink()
    plan = zraid("release", "copy", "vda", "--dry-run").out
    assert f"is copied from '{hidden(image)}' to a new '{image}' (raw)" in plan, plan
    done = zraid("release", "copy", "vda")
    assert f"is '{image}' again" in done.out and f"remove '{kept(image)}'" in done.out, done
    status = image.stat()
    assert (status.st_mode & 0o7777, status.st_uid, status.st_gid, status.st_size) == (0o604, 1234, 5678, size)
    assert os.getxattr(image, "trusted.note") == b"text" and status.st_blocks * 512 < 4 * MIB
    assert get(image, 7 * MIB + 512, 512) == b"\x77" * 512 and digest(kept(image)) == before
    put(image, 7 * MIB + 512, 0, 512)
    assert digest(image) == before and xml_of(domain) == old_xml
    assert_refused(zraid("adopt", "copy", "vda", "--copy", check=False), "there is a file", kept(image).name)
    kept(image).unlink()
    assert_same(nothing, {**system(folder), str(image): nothing[str(image)]})


@zlab.options(timeout=300)
def test_converted(lab: Lab) -> None:
    """A qcow2 becomes a raw pool and a qcow2 again, like the one it was; the guest's data are the same."""
    size = 40 * MIB + 512
    raw, image = make_image(lab.dir / "raw", size), lab.dir / "c.qcow2"
    sh(["qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", "-o", "cluster_size=32k,compat=0.10", raw, image])
    domain = make_domain(lab, "conv", image)
    virsh("define", "/dev/stdin", input=xml_of(domain).replace("type='raw'", "type='qcow2'"))
    old_xml, old_info, nothing = xml_of(domain), layout_of(image), system()
    assert_refused(zraid("adopt", "conv", "vda", check=False), "is qcow2, not raw", "--convert", "MiB of room")
    sh(["qemu-img", "snapshot", "-c", "s", image])
    assert_refused(zraid("adopt", "conv", "vda", "--convert", check=False), "has internal snapshots", "snapshot -d")
    sh(["qemu-img", "snapshot", "-d", "s", image])
    assert_same(nothing, system())

    zraid("adopt", "conv", "vda", "--convert", "--ram-limit", "64M")
    assert get("/dev/md100p1", 0, size) == raw.read_bytes()
    assert "<driver name='qemu' type='raw'" in xml_of(domain) and kept(image).exists()
    domain.start()
    zlab.wait_for(lambda: MARK in Path("/tmp/conv.serial").read_bytes(), "the guest read its second sector")
    domain.write(7 * MIB, 512, 0x77, flush=True)
    domain.destroy()
    zraid("release", "conv", "vda")
    put(raw, 7 * MIB, 0x77, 512)
    sh(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw, image])
    assert xml_of(domain) == old_xml and layout_of(image) == old_info
    assert not hidden(image).exists()
    assert_same(nothing, system())


def layout_of(image: Path) -> Tuple[int, int, Dict[str, object]]:
    info = json.loads(sh(["qemu-img", "info", "--output=json", image]).out)
    return info["virtual-size"], info["cluster-size"], info["format-specific"]


@zlab.options(timeout=600)
def test_copy_killed(lab: Lab) -> None:
    """adopt --copy and its release are killed, also in the middle of the copying: the disk is never
    lost, and a copy that may be older than the disk is never used."""
    size = 18 * MIB + 512
    image = make_image(small_tmpfs(lab, "16M") / "kill.img", size)
    before = digest(image)
    domain = make_domain(lab, "kill", image)
    old_xml, nothing = xml_of(domain), system()
    adopt = ["zraid-pool", "adopt", "kill", "vda", "--copy"]
    back = ["zraid-pool", "release", "kill", "vda"]

    def kill(call: kills.Call, words: List[str]) -> None:
        killed = kill_at(call, words, may_finish=True)
        zlab.say(f"{words[1]} {'killed' if killed else 'not killed'} at {call}")
        zlab.wait_for(lambda: not process_arguments(["qemu-img"]), "the copying ends with who began it")
        if image.exists():
            assert digest(image) == before
        else:
            assert digest(kept(image)) == before or "/dev/md100p1" in xml_of(domain)

    def assert_adopted() -> None:
        wait_for_device("/dev/md100p1")
        assert hashlib.sha256(get("/dev/md100p1", 0, size)).hexdigest() == before
        assert "/dev/md100p1" in xml_of(domain) and digest(kept(image)) == before and not image.exists()

    def assert_released() -> None:
        assert digest(image) == before and xml_of(domain) == old_xml
        assert_same(nothing, system())
        kept(image).unlink(missing_ok=True)
        assert os.listdir(image.parent) == [image.name]

    adopt_calls = calls_with_words(adopt)
    assert_adopted()
    back_calls = calls_with_words(back)
    assert_released()
    record = one_of(adopt_calls, "rename", "adopted/kill-vda.json")     # it counts from now on
    shown = one_of(back_calls, "renameat2", image.name)
    for in_adopt, in_back in ((copying(adopt_calls), copying(back_calls)), (record, shown)):
        kill(in_adopt, adopt)
        sh(adopt)
        assert_adopted()
        kill(in_back, back)
        sh(back)
        assert_released()
    for call in (one_of(adopt_calls, "renameat2", image.name), following(adopt_calls, record)):
        kill(call, adopt)
        sh(back)
        assert_released()

    # The new file has the old name, the domain still has the volume, and is started: the volume counts.
    sh(adopt)
    kill(following(back_calls, shown), back)
    assert image.exists() and hidden(image).exists()
    domain.start()
    domain.write(7 * MIB, 512, 0x77, flush=True)
    domain.destroy()
    done = kill_at(one_of(back_calls, "unlink", hidden(image).name), back, may_finish=True)
    zlab.say(f"release {'killed' if done else 'not killed'} when the pool was gone")
    if done:
        sh(back)
    assert get(image, 7 * MIB, 512) == b"\x77" * 512
    put(image, 7 * MIB, 0, 512)
    assert_released()


CallWithWords = Tuple[kills.Call, str]


def calls_with_words(words: List[str]) -> List[CallWithWords]:
    """Run a command to its end: the changes that it makes, each with its arguments."""
    log = Path("/tmp/copy.calls")
    names = kills.CHANGES.replace(",write", "")
    sh(["strace", "-o", log, "-e", f"trace=pidfd_open,{names}", *words])
    lines = [line for line in log.read_text().splitlines() if re.match(r"\w+\(", line)]
    names_of = [line.split("(")[0] for line in lines]
    zlab.say("\n".join(lines))
    return [((name, names_of[:number + 1].count(name)), line)
            for number, (name, line) in enumerate(zip(names_of, lines))]


def one_of(calls: List[CallWithWords], name: str, word: str) -> kills.Call:
    """The last one of that name that is about this."""
    return [call for call, line in calls if call[0] == name and f'{word}"' in line][-1]


def following(calls: List[CallWithWords], call: kills.Call) -> kills.Call:
    return calls[[other for other, _ in calls].index(call) + 1][0]


def copying(calls: List[CallWithWords]) -> kills.Call:
    """The one that follows the start of the program that copies: the last program but for udev's."""
    return [call for call, _ in calls if call[0] == "pidfd_open"][-1]
