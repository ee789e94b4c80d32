"""The fresh host: what an administrator does on it, step by step, over two boots.

Each function is a step and stands on those before it. See docs/lab.md.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Dict, List, Set

import zlab
from toolbox.pools import get, storage_pools, wait_for_device
from zlab import MIB, Domain, sh, virsh, wait_for, zraid

LAB = zlab.DISK                     # xfs, mounted by an entry in fstab that the boot does not wait for
VM_UUID = "3eebe2aa-a55c-4614-a67d-0cb27cf33310"
USED = ("fast", "groups", "files")  # by the domain that runs over the reboot, in its order
CONTROL = "/dev/disk/by-id/virtio-other"


class PlainDomain(Domain):
    """As an administrator would have it: nothing preloaded, which AppArmor would not let QEMU do."""

    def xml(self) -> str:
        return re.sub("<qemu:commandline>.*</qemu:commandline>", "", super().xml())

    def qemu_io(self, command: str, disk=0, timeout: float = 60) -> str:
        device = f"/machine/peripheral/virtio-disk{disk}/virtio-backend"
        answer = self.hmp(f'qemu-io -d {device} "{command}"')
        assert "rror" not in answer, answer
        return answer


def vm(*disks: Dict[str, str]) -> Domain:
    return PlainDomain("vm", list(disks), uuid=VM_UUID, boot_sector=zlab.BOOT_SECTOR_OBEY)


def vm_on_every_layout() -> Domain:
    return vm({"dev": zlab.info("fast")["md"] + "p1"}, {"dev": "/dev/groups/web"},
              {"file": "/var/lib/libvirt/images/files/web.img"})


def denials() -> List[str]:
    """What AppArmor has denied in this boot. But that libvirt's helper, which writes the domains'
    profiles, may not look into a block device for a backing file is nothing new: libvirt has rules
    that keep other kinds of devices out of the journal, and none for md."""
    journal = sh(["journalctl", "-b", "--no-pager", "-o", "cat", "_TRANSPORT=kernel", "+", "_TRANSPORT=audit"],
                 quiet=True).out
    return sorted({line for line in journal.splitlines()
                   if 'apparmor="DENIED"' in line and 'profile="virt-aa-helper" name="/dev/md' not in line})


def profiles() -> Set[str]:
    return set(Path("/sys/kernel/security/apparmor/profiles").read_text().splitlines())


def unit(name: str, *keys: str) -> Dict[str, str]:
    out = sh(["systemctl", "show", name, *(f"--property={key}" for key in keys)], quiet=True).out
    return dict(line.split("=", 1) for line in out.splitlines())


def since_boot(name: str) -> int:
    """When a unit became active, in microseconds."""
    return int(unit(name, "ActiveEnterTimestampMonotonic")["ActiveEnterTimestampMonotonic"])


def failed_units() -> Set[str]:
    out = sh(["systemctl", "list-units", "--state=failed", "--plain", "--no-legend"]).out
    return {line.split()[0] for line in out.splitlines()}


def pool_state(name: str) -> str:
    return zlab.info(name)["state"]


# --- the first boot

@zlab.options(boot=0)
def test_package_is_installed() -> None:
    """apt takes it, with nothing missing; the services run, and libvirt's daemon has seen the hook."""
    assert "libvirtd (enforce)" in profiles()
    virsh("version")        # it ends by itself when nobody asks it for two minutes
    libvirtd = unit("libvirtd.service", "MainPID")
    sh(["apt-get", "install", "-y", "/run/lab/share/zraid.deb"], timeout=600)
    sh(["apt-get", "check"])
    assert sh(["dpkg", "--audit"]).out == ""
    assert unit("libvirtd.service", "MainPID") != libvirtd
    for name in ("zraid-pools.service", "zraid-monitor.service"):
        assert unit(name, "ActiveState", "UnitFileState") == {"ActiveState": "active", "UnitFileState": "enabled"}
    assert failed_units() - {"srv-absent.mount"} == set()
    virsh("version")
    findings = json.loads(zraid("doctor", "--json").out)
    assert any("was started behind it" in finding["what"] for finding in findings), findings
    bad = [finding for finding in findings if finding["severity"] in ("error", "warning")]
    # LVM is installed, and nothing shuts it out.
    assert [finding["subject"] for finding in bad] == ["LVM"], bad


@zlab.options(boot=0)
def test_main_job_under_apparmor() -> None:
    """A pool, a volume, a domain confined by AppArmor: the RAM leg comes and goes with it."""
    zraid("define", "fast", "--image", LAB / "fast.img", "--size", "64M")
    zraid("vol-create", "fast", "40M")
    volume = wait_for_device(zlab.info("fast")["md"] + "p1")
    domain = vm({"dev": volume}).define()
    domain.start()
    assert f"libvirt-{VM_UUID} (enforce)" in profiles()
    qemu = Path("/run/libvirt/qemu/vm.pid").read_text().strip()
    assert Path(f"/proc/{qemu}/attr/current").read_text().strip(" \n\0") == f"libvirt-{VM_UUID} (enforce)"
    zraid("wait", "fast", "--timeout", "60")
    info = zlab.info("fast")
    assert info["state"] == "mirrored" and [user["name"] for user in info["users"]] == ["vm"]
    domain.write(MIB, 4096, 0x51, flush=True)
    wait_for(lambda: get(volume, MIB)[:4096] == b"\x51" * 4096, "what the guest wrote is there")
    domain.destroy()
    wait_for(lambda: pool_state("fast") == "disk-only", "the RAM leg is gone")
    assert zlab.info("fast")["users"] == []
    assert denials() == []


@zlab.options(boot=0)
def test_volume_disk_under_apparmor() -> None:
    """libvirt 9 denies a domain its <disk type='volume'>, until a line in the domain's own profile
    allows it."""
    volume = zlab.info("fast")["md"] + "p1"
    domain = vm({"pool": "fast", "volume": zlab.name_of(volume)}).define()
    refused = domain.start(check=False)
    assert refused.rc != 0 and "Permission denied" in refused.err, refused
    wait_for(lambda: pool_state("fast") == "disk-only", "the RAM leg is gone")
    wait_for(denials, "the denial is in the journal")
    assert all(volume in line and f'profile="libvirt-{VM_UUID}"' in line for line in denials()), denials()

    profile = Path(f"/etc/apparmor.d/libvirt/libvirt-{VM_UUID}")
    text = profile.read_text()
    profile.write_text(text.replace("}", f'  "{volume}" rwk,\n}}'))
    for _ in range(2):
        domain.start()
        domain.destroy()
    assert volume in profile.read_text()
    profile.write_text(text)
    vm({"dev": volume}).define()


@zlab.options(boot=0)
def test_before_the_reboot() -> None:
    """Pools of every kind, a domain that starts with the host and runs now, and what guests may
    write into their volumes."""
    denied = denials()
    for name, *more in (("always", "--attach", "always"), ("manual", "--no-autostart"), ("gone",), ("broken",),
                        ("written",)):
        zraid("define", name, "--image", LAB / f"{name}.img", "--size", "64M", *more)
    # Its folder is to be a file system that does not come.
    absent = Path("/srv/absent")
    absent.mkdir(exist_ok=True)
    zraid("define", "absent", "--image", absent / "absent.img", "--size", "64M")

    md = zlab.info("written")["md"]
    for size in ("16M", "16M", "16M"):
        zraid("vol-create", "written", size)
    parts = [wait_for_device(f"{md}p{number}") for number in (1, 2, 3)]
    with zlab.udev_paused():
        sh(["mkfs.ext4", "-q", "-L", "guest", parts[0]])
        make_group("guest", parts[1])
        sh(["mdadm", "--create", "/dev/md51", "--run", "--level=1", "--raid-devices=1", "--force",
            "--metadata=1.2", parts[2]])
        sh(["mdadm", "--stop", "/dev/md51"])
    make_group("control", CONTROL)
    zraid("stop", "--all")
    (LAB / "digests").write_text(json.dumps([digest_of_image("written")]))
    (LAB / "gone.img").unlink()
    with open(LAB / "broken.img", "r+b") as image:
        image.write(b"\0" * 2 * MIB)
    (absent / "absent.img").unlink()
    zraid("start", "fast")

    zraid("define", "groups", "--type", "logical", "--image", LAB / "groups.img", "--size", "64M")
    zraid("define", "files", "--type", "fs", "--image", LAB / "files.img", "--size", "320M")
    for name, volume in (("groups", "web"), ("files", "web.img")):
        zraid("vol-create", name, "16M", "--name", volume)
    domain = vm_on_every_layout().define()
    virsh("autostart", "vm")
    domain.start()
    for name in USED:
        zraid("wait", name, "--timeout", "60")
    domain.wait_booted()
    for disk in range(len(USED)):
        domain.write(2 * MIB, 4096, 0x52 + disk, disk=disk, flush=True)
    assert denials() == denied


def make_group(name: str, device: str) -> None:
    """A volume group with a volume that LVM means to activate by itself."""
    sh(["pvcreate", "-q", "-ff", "-y", device])
    sh(["vgcreate", "-q", name, device])
    sh(["lvcreate", "-q", "-n", "lv", "-l", "1", "-an", "-Zn", "-Wn", name])


def digest_of_image(pool: str) -> str:
    """Of what the guests have of it: behind md's superblock and bitmap."""
    with open(LAB / f"{pool}.img", "rb") as image:
        image.seek(MIB)
        return hashlib.sha256(image.read()).hexdigest()


# --- the second boot

@zlab.options(boot=1)
def test_pools_are_there_before_libvirt() -> None:
    """Arrays first, then libvirt, whose pools and domains start by themselves; what fails keeps
    nobody else."""
    libvirtd = unit("libvirtd.service", "ExecMainStartTimestampMonotonic")
    started = int(libvirtd["ExecMainStartTimestampMonotonic"])
    for name in (*USED, "always", "written"):
        assert 0 < since_boot("srv-lab.mount") < since_boot(f"zraid-pool@{name}.service") < started
    assert storage_pools()["fast"] == storage_pools()["always"] == ["active", "yes"]
    assert storage_pools()["manual"] == ["inactive", "no"] and pool_state("manual") == "inactive"
    zraid("wait", "always", "--timeout", "60")

    wait_for(lambda: virsh("domstate", "vm", quiet=True).out.strip() == "running", "the domain starts", 60)
    for index, (name, disk) in enumerate(zip(USED, vm_on_every_layout().disks)):
        zraid("wait", name, "--timeout", "60")
        assert [user["name"] for user in zlab.info(name)["users"]] == ["vm"]
        assert get([*disk.values()][0], 2 * MIB)[:4096] == bytes([0x52 + index]) * 4096

    for name in ("gone", "broken"):
        assert f"zraid-pool@{name}.service" in failed_units()
    assert unit("zraid-pool@absent.service", "ActiveState", "SubState")["ActiveState"] == "inactive"
    assert {name for name in failed_units() if not name.startswith("zraid-pool@")} <= {"srv-absent.mount"}
    assert denials() == []
    journal = sh(["journalctl", "-b", "--no-pager", "-o", "cat", "SYSLOG_IDENTIFIER=systemd"], quiet=True).out
    assert "ordering cycle" not in journal


@zlab.options(boot=1)
def test_host_was_shut_down_in_order() -> None:
    """The guests and libvirt, then the arrays, then the image's file system; nobody waited."""
    journal = [json.loads(line) for line in sh(
        ["journalctl", "-b", "-1", "--no-pager", "-o", "json", "SYSLOG_IDENTIFIER=systemd"], quiet=True).out.splitlines()]
    stopped: Dict[str, int] = {}
    for entry in journal:
        assert "ordering cycle" not in entry["MESSAGE"], entry
        if entry.get("JOB_TYPE") in ("stop", "restart") and entry.get("JOB_RESULT") == "done":
            stopped[entry["UNIT"]] = int(entry["__MONOTONIC_TIMESTAMP"])
    print(stopped)
    for name in ("libvirt-guests.service", "libvirtd.service"):
        assert stopped[name] < stopped["zraid-pools.service"] < stopped["srv-lab.mount"]
    console = (zlab.SHARE / "boot-1" / "console").read_text(errors="replace")
    failed = [line for line in console.partition("Stopped target")[2].splitlines() if "FAILED" in line]
    # The lab's own share of the kernel's modules, which udev has open.
    assert [line for line in failed if "usr-lib-" not in line and "lib-modules" not in line] == []
    assert float((zlab.SHARE / "boot-1" / "shutdown-seconds").read_text()) < 60


@zlab.options(boot=1)
def test_host_left_alone_what_guests_wrote() -> None:
    """No array, no volume group, no mount came of it, while LVM did its work elsewhere."""
    md = zlab.info("written")["md"]
    zlab.settle()

    def volumes() -> Set[str]:
        return {line.split()[0] for line in sh(["dmsetup", "ls"], quiet=True).out.splitlines()}

    wait_for(lambda: "control-lv" in volumes(), "LVM's own volume")
    assert volumes() == {"control-lv", "groups-web"}
    online = {path.name for path in Path("/run/lvm/vgs_online").glob("*")}
    assert online == {"control"}, online
    ours = {zlab.name_of(zlab.info(name)["md"]) for name in (*USED, "always", "written")}
    assert set(zlab.mds()) == ours
    mounts = Path("/proc/mounts").read_text()
    assert md not in mounts and "guest" not in mounts
    zraid("stop", "written")
    assert digest_of_image("written") == json.loads((LAB / "digests").read_text())[0]


@zlab.options(boot=1)
def test_package_goes() -> None:
    """Removal is refused while a domain runs; a purge leaves images alone."""
    refused = sh(["apt-get", "remove", "-y", "zraid"], check=False, timeout=600)
    assert refused.rc != 0 and "pools that have their RAM leg" in refused.err + refused.out, refused
    zraid("doctor", check=False)
    virsh("destroy", "vm")
    zraid("detach", "always")
    sh(["apt-get", "purge", "-y", "zraid"], timeout=600)
    sh(["systemctl", "reset-failed"])
    assert zlab.mds() == {} and zlab.loops() == {}
    left = sh(["find", "/", "-xdev", "-path", "/proc", "-prune", "-o", "-name", "*zraid*", "-print"]).out.split()
    assert [path for path in left if not path.startswith(("/var/lib/apt", "/var/log", "/run/lab"))] == []
    units = sh(["systemctl", "list-units", "--all", "--plain", "--no-legend", "zraid*"]).out.split("\n")
    assert [unit for unit in units if unit and "not-found" not in unit] == []
    assert failed_units() == set()
    assert storage_pools() == {}, storage_pools()
    assert (LAB / "fast.img").exists() and (LAB / "always.img").exists()
