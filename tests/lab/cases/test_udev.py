"""Nothing of zraid's comes up by itself, and nothing of anybody else's is touched."""

from pathlib import Path
from typing import Dict, Set

import zlab
from toolbox.pools import Watch, get, make_pool, prepare, put, release, sparse, with_uuid
from zlab import MIB, Domain, Lab, sh, sysfs, wait_for, zraid

FILE_SYSTEM = "5e7f3b0c-3c1e-4f0b-9d57-2a9f7f3a6c11"
PVS_ONLINE = Path("/run/lvm/pvs_online")    # LVM's udev rule notes here what it saw


def settle() -> None:
    sh(["udevadm", "settle", "--timeout=30"], quiet=True)


def replay_events() -> None:
    """Everything that udev does when devices appear or change, once more for all of them."""
    for action in ("add", "change"):
        sh(["udevadm", "trigger", f"--action={action}", "--subsystem-match=block", "--settle"])


def arrays() -> Set[str]:
    return set(zlab.mds())


def test_no_array_by_itself(lab: Lab) -> None:
    """During define, start, attach, detach, stop and undefine no array appears but the pool's; nor
    when the image of a pool that is stopped is attached by hand. For an array that is not zraid's
    the same rules do assemble it: this test would see it."""
    foreign = sparse(lab.dir / "foreign", 32 * MIB)
    with zlab.udev_paused():
        loop = sh(["losetup", "--find", "--show", foreign]).out.strip()
        sh(["mdadm", "--create", "/dev/md50", "--run", "--level=1", "--raid-devices=1", "--force",
            "--metadata=1.2", "--name=other:thing", loop])
        sh(["mdadm", "--stop", "/dev/md50"])
        sh(["losetup", "--detach", loop])
    assert arrays() == set()
    loop = sh(["losetup", "--find", "--show", foreign]).out.strip()
    wait_for(arrays, "the stock rules assemble a foreign array")
    settle()        # udev has it open
    for name in arrays():
        sh(["mdadm", "--stop", f"/dev/{name}"])
    sh(["losetup", "--detach", loop])
    settle()
    assert arrays() == set() and zlab.loops() == {}

    with Watch(lambda: tuple(sorted(arrays()))) as seen:
        pool = make_pool(lab, "quiet", "64M")
        settle()
        md = zlab.name_of(pool.md)
        pool.add_volume()
        for command in ("attach", "detach", "stop", "start", "attach", "stop"):
            zraid(command, "quiet")
            settle()
        assert arrays() == set()
        for options in (["--sector-size=4096"], []):
            loop = sh(["losetup", "--find", "--show", *options, pool.image]).out.strip()
            settle()
            replay_events()
            assert arrays() == set()
            properties = sh(["udevadm", "info", "--query=property", loop]).out
            if options:     # with sectors of 512 bytes blkid finds the superblock as well
                assert "ID_FS_TYPE=linux_raid_member" in properties and "SYSTEMD_READY=0" in properties
            sh(["losetup", "--detach", loop])
            settle()
        zraid("start", "quiet")
        replay_events()
        assert pool.now().state == "disk-only"
        zraid("undefine", "quiet", "--remove-image", "--yes")
        settle()
    assert seen.asked > 20 and seen.answers == {(), (md,)}, seen.answers
    assert zlab.loops() == {} and zlab.zrams() == []


def test_array_that_came_up_by_itself(lab: Lab) -> None:
    """Where udev has no such rule, start takes the array over from the one that came up."""
    pool = make_pool(lab, "stray", "64M", "--no-libvirt")
    put(pool.md, MIB, 0x61)
    zraid("stop", "stray")
    rule = Path("/run/udev/rules.d/63-zraid.rules")      # hides the one in /lib
    lab.defer(sh, ["udevadm", "control", "--reload"])
    lab.defer(rule.unlink, True)
    rule.parent.mkdir(parents=True, exist_ok=True)
    rule.write_text("")
    sh(["udevadm", "control", "--reload"])
    loop = sh(["losetup", "--find", "--show", "--sector-size=4096", pool.image]).out.strip()
    wait_for(arrays, "the array comes up")
    settle()
    assert arrays() and arrays() != {zlab.name_of(pool.md)}
    zraid("start", "stray")
    assert arrays() == {zlab.name_of(pool.md)}
    assert zlab.loops() == {zlab.name_of(loop): str(pool.image)}
    assert get(pool.md, MIB) == b"\x61" * 8192
    assert pool.now().state == "disk-only"


def test_stable_names(lab: Lab) -> None:
    """/dev/zraid has the array and its volumes under the pool's name, a long one too, whoever
    assembles it, and nothing of it when it is stopped; a domain may use them, whose pool comes up
    with it."""
    folder = Path("/dev/zraid")

    def names() -> Dict[str, str]:
        links = folder.glob("*/*") if folder.is_dir() else []
        return {str(link.relative_to(folder)): str(link.resolve()) for link in links}

    long_name = "x" * 60
    make_pool(lab, long_name, "16M", "--no-libvirt")
    pool = make_pool(lab, "named", "64M")
    volume = zlab.name_of(pool.add_volume("20M"))
    link = folder / "named" / volume
    all_names = {"named/array": pool.md, f"named/{volume}": f"/dev/{volume}"}
    wait_for(lambda: names().items() >= all_names.items(), "the links are there")
    wait_for(lambda: f"{long_name}/array" in names(), "the link of the long name is there")
    zraid("stop", long_name)
    zraid("attach", "named")
    zraid("detach", "named")
    settle()
    assert names() == all_names
    zraid("stop", "named")
    wait_for(lambda: names() == {}, "the links went")
    zraid("start", "named")
    wait_for(lambda: names() == all_names, "the links came back")

    zraid("stop", "named")
    wait_for(lambda: names() == {}, "the links went")
    domain = lab.use(Domain("named-user", [{"dev": str(link)}]))
    with zlab.udev_paused():            # the hook does not wait for it
        domain.start()
        assert link.resolve() == Path(f"/dev/{volume}")
    assert pool.fill().users == ["named-user"]
    domain.write(MIB, 4096, 0x4E, flush=True)
    domain.destroy()
    assert get(str(link), MIB)[:4096] == b"\x4e" * 4096
    pool.assert_at_rest()
    assert names() == all_names


def physical_volume(device: str) -> Path:
    """Make an LVM physical volume with a volume group; the note by which LVM's rule shows that it
    has seen it."""
    sh(["pvcreate", "-q", "-ff", "-y", device])
    return PVS_ONLINE / sh(["pvs", "--noheadings", "-o", "pv_uuid", device]).out.strip().replace("-", "")


def test_what_guests_write(lab: Lab) -> None:
    """A file system, an md superblock or an LVM physical volume that a guest writes, into a volume
    or onto the whole array, is not offered by its UUID or label, not assembled and not activated on
    the host. On other devices it is."""
    lab.defer(sh, ["rm", "-rf", PVS_ONLINE])
    other = sparse(lab.dir / "other", 32 * MIB)
    loop = sh(["losetup", "--find", "--show", other]).out.strip()
    lab.defer(zlab.detach_loop, loop)
    note = physical_volume(loop)
    sh(["vgcreate", "-q", "control", loop])
    replay_events()
    assert note.exists(), "LVM's rule does not work here: this test shows nothing"

    pool = make_pool(lab, "written", "64M", "--no-libvirt")
    md = zlab.name_of(pool.md)
    for device in (pool.add_partition("1MiB", "40MiB"), pool.md):
        with zlab.udev_paused():
            sh(["wipefs", "--all", "--quiet", device])
            sh(["mkfs.ext4", "-q", "-F", "-L", "guest", "-U", FILE_SYSTEM, device])
        replay_events()
        links = sh(["udevadm", "info", "--query=symlink", device]).out
        assert "by-uuid" not in links and "by-label" not in links and "by-id/md-uuid" in links, links
        assert not Path(f"/dev/disk/by-uuid/{FILE_SYSTEM}").exists()

        with zlab.udev_paused():
            sh(["wipefs", "--all", "--quiet", device])
            sh(["blockdev", "--rereadpt", device], check=False)     # fails on a partition
            note = physical_volume(device)
            sh(["vgcreate", "-q", f"vg{len(device)}", device])
            note.unlink(missing_ok=True)
        replay_events()
        zraid("stop", "written")
        zraid("start", "written")
        settle()
        assert not note.exists(), f"LVM took up what is on {device}"
        properties = sh(["udevadm", "info", "--query=property", device]).out.splitlines()
        assert {"SYSTEMD_READY=0", "UDISKS_IGNORE=1"} <= set(properties), properties
        assert not any(line.startswith("ID_FS_TYPE=") for line in properties), properties

        with zlab.udev_paused():
            sh(["wipefs", "--all", "--quiet", device])
            sh(["mdadm", "--create", "/dev/md51", "--run", "--level=1", "--raid-devices=1", "--force",
                "--metadata=1.2", device])
            sh(["mdadm", "--stop", "/dev/md51"])
        replay_events()
        zraid("stop", "written")
        zraid("start", "written")
        replay_events()
        assert arrays() == {md}, f"what is on {device} was assembled"


def test_foreign_zram(lab: Lab) -> None:
    """A zram device that was there before, in use as swap, and one that nobody has set up yet stay
    as they are, whatever happens to pools."""
    sh(["modprobe", "zram", "num_devices=0"])
    control = Path("/sys/class/zram-control")

    def add() -> str:
        name = "zram" + (control / "hot_add").read_text().strip()
        lab.defer((control / "hot_remove").write_text, name[4:])
        return name
    swap, blank = add(), add()
    lab.defer(Path(f"/sys/block/{swap}/reset").write_text, "1")
    Path(f"/sys/block/{swap}/disksize").write_text("16M")
    node = f"/dev/{swap}"
    wait_for(Path(node).is_block_device, node)
    sh(["mkswap", node])
    lab.defer(sh, ["swapoff", node])
    sh(["swapon", node])

    def picture() -> tuple:
        return tuple((name, sysfs(name, "diskseq"), sysfs(name, "disksize")) for name in (swap, blank)) + (
            [line.split()[:3] for line in Path("/proc/swaps").read_text().splitlines()[1:]], get(node, 4086, 10))
    before = picture()
    assert before[-1] == b"SWAPSPACE2"

    pool = make_pool(lab, "guest", "64M", "--no-libvirt", "--compressor", "lzo")
    domain = with_uuid(Domain("neighbour", [{"dev": pool.md}]))
    # Records of an attach that was killed, as they would be if our device had had these numbers.
    record = Path("/run/zraid/ram/guest.json")
    for device in (swap, blank):
        record.parent.mkdir(exist_ok=True)
        record.write_text(f'{{"device": "{device}", "sequence": "1", "worst_bytes": 1}}\n')
        zraid("detach", "guest")
        assert picture() == before
        prepare(domain)
        leg = pool.fill().ram
        assert leg.split()[0] not in (f"/dev/{swap}", f"/dev/{blank}")
        assert picture() == before
        release(domain)
        assert zlab.zrams() == [swap, blank]
        assert picture() == before
    zraid("attach", "guest")
    zraid("undefine", "guest")
    assert zlab.zrams() == [swap, blank] and picture() == before
