"""Which pools a domain's disks lie on; the hook is called as libvirt calls it."""

import os
import subprocess
import time
from pathlib import Path

import zlab
from toolbox.pools import (HOOK, Now, Pool, assert_same, assert_silent, hook, make_pool, prepare,
                   process_arguments, release, sparse, system, wait_for_device, with_uuid)
from zlab import MIB, Domain, Lab, sh, wait_for, zraid


def assert_recognised(pool: Pool, domain: Domain) -> None:
    """prepare claims and attaches the pool, release gives it back."""
    pool.assert_at_rest()
    assert_silent(prepare(domain))
    assert pool.claimed_by() == [domain.uuid]
    assert sorted(name[:4] for name in pool.legs()) == ["loop", "zram"]
    assert_silent(release(domain))
    pool.assert_at_rest()


def disk_with(inner: str) -> dict:
    """A disk of a file that is on no pool, with more elements in it."""
    return {"file": "/srv/lab/elsewhere.img", "xml": inner}


def test_paths_to_a_pool(lab: Lab) -> None:
    """A volume is recognised as the array, as a partition, through links (absolute, relative, in
    the name of a folder), a device-mapper device, and as files on a file system made on it."""
    pool = make_pool(lab, "paths", "128M", "--no-libvirt")
    part = pool.add_partition("4MiB", "60MiB", 1)
    second = pool.add_partition("60MiB", "100%", 2)

    folder = lab.dir / "links"
    folder.mkdir()
    (folder / "absolute").symlink_to(part)
    (folder / "relative").symlink_to(os.path.relpath(part, folder))
    (folder / "again").symlink_to("relative")
    (lab.dir / "folder-link").symlink_to(folder)

    lab.defer(sh, ["dmsetup", "remove", "--retry", "lab-linear"])
    sectors = int(zlab.sysfs(second, "size"))
    sh(["dmsetup", "create", "lab-linear", "--table", f"0 {sectors} linear {second} 0"])
    mapped = wait_for_device("/dev/mapper/lab-linear")

    sh(["mkfs.ext4", "-q", part])
    mounted = lab.dir / "mounted"
    mounted.mkdir()
    lab.defer(sh, ["umount", mounted])
    sh(["mount", part, mounted])
    raw = sparse(mounted / "raw.img", MIB)
    qcow2 = mounted / "qcow.qcow2"
    sh(["qemu-img", "create", "-q", "-f", "qcow2", qcow2, "4M"])
    (lab.dir / "file-link").symlink_to(qcow2)

    block = [pool.md, part, folder / "absolute", folder / "again", lab.dir / "folder-link" / "absolute",
             mapped]
    for number, path in enumerate(block):
        assert_recognised(pool, Domain(f"block-{number}", [{"dev": str(path)}]))
    for number, path in enumerate([raw, qcow2, lab.dir / "file-link"]):
        assert_recognised(pool, Domain(f"file-{number}", [{"file": str(path)}]))


def test_disk_documents(lab: Lab) -> None:
    """Every place of a domain's XML where an image may stand: volumes, backing chains, the target
    of a copy that is under way, the second of two disks, a cdrom."""
    pool = make_pool(lab, "documents", "64M")
    part = pool.add_partition()
    source = f"<source dev='{part}'/>"
    store = f"<backingStore type='block'><format type='raw'/>{source}<backingStore/></backingStore>"
    middle = f"<backingStore type='file'><format type='qcow2'/><source file='/srv/lab/x'/>{store}</backingStore>"
    disks = [
        [{"pool": "documents", "volume": zlab.name_of(part)}],
        [disk_with(""), {"dev": part}],
        [disk_with(store)],
        [disk_with(middle)],
        [disk_with(f"<mirror type='block' job='copy'><format type='raw'/>{source}</mirror>")],
        [disk_with(f"<mirror type='file' job='copy'><source file='/srv/lab/y'/>{store}</mirror>")],
    ]
    for number, some in enumerate(disks):
        assert_recognised(pool, Domain(f"document-{number}", some))
    cdrom = with_uuid(Domain("cdrom", [{"dev": part}]))
    xml = cdrom.xml().replace("device='disk'", "device='cdrom'")
    assert_silent(hook("cdrom", "prepare", "begin", xml))
    assert pool.claimed_by() == [cdrom.uuid]
    assert_silent(hook("cdrom", "release", "end", xml))
    pool.assert_at_rest()


def test_domains_without_a_zraid_disk(lab: Lab) -> None:
    """Disks that are on no pool, or only look like it, change nothing: other files and devices, a
    device that is missing, an array that is not ours, a volume of another storage pool, and a pool
    that is mentioned elsewhere in the XML."""
    pool = make_pool(lab, "bystander", "64M", "--no-libvirt")
    other = sparse(lab.dir / "other", 32 * MIB)
    loop = sh(["losetup", "--find", "--show", other]).out.strip()
    lab.defer(sh, ["losetup", "--detach", loop])
    lab.defer(sh, ["mdadm", "--stop", "/dev/md77"])
    sh(["mdadm", "--create", "/dev/md77", "--run", "--level=1", "--raid-devices=2", "--metadata=1.2",
        loop, "missing"])
    number = int(pool.md[len("/dev/md"):])
    folder = lab.dir / "md100p1"
    folder.mkdir()
    before = system(lab.dir)
    for index, disk in enumerate((
            {"file": str(other)}, {"dev": loop}, {"dev": "/dev/md77"}, {"file": "/nonexistent/md100"},
            {"dev": f"{pool.md}0"}, {"dev": f"/dev/md{number}x1"}, {"dev": "md100"}, {"file": str(folder)},
            {"pool": "elsewhere", "volume": "md100p1"}, {"pool": "bystander", "volume": "md100p1"},
            {"file": str(other), "xml": f"<serial>{pool.md}</serial>"})):
        domain = Domain(f"stranger-{index}", [disk])
        assert_silent(prepare(domain))
        assert_same(before, system(lab.dir))
        assert_silent(release(domain))
        assert_same(before, system(lab.dir))


def test_claims(lab: Lab) -> None:
    """prepare and release twice do the same as once; of two users the last one detaches, in any
    order; release goes by the claim, not by what the XML says by then; a domain that nobody knows
    is released without a word."""
    pool = make_pool(lab, "claims", "64M", "--no-libvirt")
    one = with_uuid(Domain("one", [{"dev": pool.md}]))
    two = with_uuid(Domain("two", [{"dev": pool.md}]))
    assert_silent(prepare(one))
    leg = pool.fill().ram
    assert_silent(prepare(one))
    assert_silent(prepare(two))
    assert pool.now() == Now("mirrored", ["one", "two"], leg)
    assert_silent(release(one))
    assert_silent(release(one))
    assert_silent(release(with_uuid(Domain("unknown", [{"dev": pool.md}]))))
    assert pool.now() == Now("mirrored", ["two"], leg)
    assert_silent(prepare(one))
    assert_silent(release(two))
    assert pool.now() == Now("mirrored", ["one"], leg)
    # The disk was unplugged meanwhile.
    assert_silent(hook("one", "release", "end", Domain("one", [], uuid=one.uuid).xml()))
    pool.assert_at_rest()

    # The XML cannot be read any more: the name is enough.
    for xml in ("", "<domain>", "<domain><name>one</name></domain>", "x" * 10_000_000):
        assert_silent(prepare(one))
        done = hook("one", "release", "end", xml)
        assert done.out == "" and done.err.count("\n") <= 1, done
        pool.assert_at_rest()

    # A user that libvirt does not know is no user: stop does not wait for it for ever.
    assert_silent(prepare(one))
    zraid("stop", "claims")
    assert pool.now() == Now("inactive", [], "")


def test_reconnect(lab: Lab) -> None:
    """reconnect claims and attaches, and ends with 0 whatever happens."""
    pool = make_pool(lab, "reconnect", "64M", "--no-libvirt")
    domain = with_uuid(Domain("back", [{"dev": pool.md}]))
    assert_silent(hook("back", "reconnect", "begin", domain.xml()))
    assert pool.fill().users == ["back"]
    assert_silent(release(domain))
    zraid("stop", "reconnect")
    hidden = pool.image.with_suffix(".hidden")
    pool.image.rename(hidden)
    lab.defer(lambda: hidden.exists() and hidden.rename(pool.image))
    for xml in (domain.xml(), "", "<domain>", "x" * 10_000_000):
        done = hook("back", "reconnect", "begin", xml)
        assert (done.rc, done.out, done.err.count("\n")) == (0, "", 1), done
    hidden.rename(pool.image)
    assert_silent(hook("back", "reconnect", "begin", domain.xml()))
    assert pool.fill().users == ["back"]
    assert_silent(release(domain))
    pool.assert_at_rest()


def test_child_that_stays(lab: Lab) -> None:
    """libvirt waits until nobody has the hook's output open: a process that mdadm leaves behind
    does not have it, and the hook returns."""
    pool = make_pool(lab, "orphan", "64M", "--no-libvirt")
    domain = with_uuid(Domain("waiting", [{"dev": pool.md}]))
    zraid("stop", "orphan")             # mdadm is called to assemble it, and for nothing else
    wrapper, real = lab.dir / "mdadm", lab.dir / "mdadm.real"
    real.write_bytes(Path("/usr/sbin/mdadm").read_bytes())
    # The orphan lets go of what it inherited beyond stdin, stdout and stderr: locks of ours.
    wrapper.write_text("#!/bin/bash\n"
                       "for fd in /proc/self/fd/*; do fd=${fd##*/}; [ $fd -lt 3 ] || close+=\" $fd>&-\"; done\n"
                       f"eval \"sleep 987 $close &\"\nexec {real} \"$@\"\n")
    for file in (wrapper, real):
        file.chmod(0o755)

    def end_orphans() -> None:
        for pid in process_arguments(["sleep", "987"]):
            os.kill(pid, 9)

    def unmount() -> None:
        zlab.settle()               # udev's rules run it too
        sh(["umount", "/usr/sbin/mdadm"])

    lab.defer(end_orphans)
    lab.defer(unmount)
    sh(["mount", "--bind", wrapper, "/usr/sbin/mdadm"])
    begun = time.monotonic()
    run = subprocess.Popen([HOOK, "waiting", "prepare", "begin", "-"], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = run.communicate(domain.xml().encode(), timeout=60)
    assert process_arguments(["sleep", "987"]), "nothing was left behind: this test shows nothing"
    assert (run.returncode, out, err) == (0, b"", b"")
    assert time.monotonic() - begun < 60
    assert pool.fill().users == ["waiting"]
    assert_silent(release(domain))
    pool.assert_at_rest()


XEN = """<domain type='xen' id='7'>
  <name>xen</name><uuid>7c3e8a51-0d2f-4be6-9a44-5d1b6f0c2e83</uuid><memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='xenpv'>linux</type></os>
  <devices><disk type='block' device='disk'><driver name='phy' type='raw'/>
    <source dev='{}'/><target dev='xvda' bus='xen'/></disk></devices>
</domain>"""


def test_xen(lab: Lab) -> None:
    """libxl's folder has the same hook. A domain of Xen is a user that QEMU's driver does not know,
    and counts as running while Xen's cannot be asked."""
    libxl = HOOK.parent.parent / "libxl.d" / "zraid"
    pool = make_pool(lab, "xen", "64M")
    document = XEN.format(pool.add_partition())

    def call(operation: str, sub_operation: str) -> None:
        assert_silent(sh([libxl, "xen", operation, sub_operation, "-"], input=document, check=False))

    call("prepare", "begin")
    call("start", "begin")
    call("started", "begin")
    assert pool.fill().users == ["xen"]
    refused = zraid("stop", "xen", check=False)
    assert refused.rc == 1 and "it is used by 'xen'" in refused.err, refused
    call("reconnect", "begin")
    assert pool.now().state == "mirrored"
    call("stopped", "end")
    assert pool.now().users == ["xen"]
    call("release", "end")
    pool.assert_at_rest()
