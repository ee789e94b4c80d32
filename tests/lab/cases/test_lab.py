"""Tests of the lab itself: does it offer what the other tests rely on?"""

import os
import subprocess
import threading
import time
from pathlib import Path

import zlab
from zlab import MIB, Domain, Lab, read, sh, wait_for


def sparse(path: Path, size: int) -> Path:
    with open(path, "wb") as file:
        file.truncate(size)
    return path


def test_modules_load(lab: Lab) -> None:
    """modprobe finds the drivers that zraid needs."""
    for module in ("zram", "raid1", "loop", "dm_mod"):
        sh(["modprobe", module])
    assert "[raid1]" in Path("/proc/mdstat").read_text()
    assert Path("/sys/class/zram-control/hot_add").exists()


def test_first_use_loads_loop(lab: Lab) -> None:
    """Opening /dev/loop-control works without loading the module first."""
    image = sparse(lab.dir / "image", MIB)
    device = sh(["losetup", "--find", "--show", image]).out.strip()
    lab.defer(zlab.detach_loop, device)
    assert zlab.loops() == {os.path.basename(device): str(image)}


def test_udev_handles_events(lab: Lab) -> None:
    """A loop device with a file system on it gets its link by udev."""
    image = sparse(lab.dir / "image", 64 * MIB)
    sh(["mkfs.ext4", "-q", "-L", "seen-by-udev", image])
    device = sh(["losetup", "--find", "--show", image]).out.strip()
    lab.defer(zlab.detach_loop, device)
    link = Path("/dev/disk/by-label/seen-by-udev")
    wait_for(link.exists, "udev made the link")
    assert zlab.name_of(link) == os.path.basename(device)


def test_libvirtd_answers(lab: Lab) -> None:
    assert "QEMU" in zlab.virsh("version").out


def test_libvirtd_can_be_killed_and_started(lab: Lab) -> None:
    zlab.kill_libvirtd()
    assert zlab.virsh("version", check=False, timeout=60).rc != 0
    zlab.start_libvirtd()
    assert zlab.virsh("version").rc == 0


def test_syslog_is_read(lab: Lab) -> None:
    sh(["logger", "-t", "lab-test", "a line for the log"])
    wait_for(lambda: "lab-test: a line for the log" in zlab.syslog(), "the line in syslog")


def test_domain_does_io(lab: Lab) -> None:
    """What is written through the guest's device is in the image, and errors are seen."""
    image = sparse(lab.dir / "image", 64 * MIB)
    domain = lab.use(Domain("io", [{"file": str(image)}]))
    domain.start()
    domain.write(MIB, 8192, 0x5A)
    domain.flush()
    domain.check(MIB, 8192, 0x5A)
    domain.write(2 * MIB, 4096, 0x6B, flush=True)
    for wrong in ("read -P 0x5b 1M 4k", "write 64M 4k", "no-such-command"):
        try:
            domain.qemu_io(wrong)
        except zlab.QemuIoError as error:
            zlab.say(f"as it should: {error}")
        else:
            raise AssertionError(f"{wrong}: no error")
    domain.destroy()
    assert zlab.image_bytes(image, MIB, 8192) == b"\x5a" * 8192
    assert zlab.image_bytes(image, 2 * MIB, 8192) == b"\x6b" * 4096 + bytes(4096)


def test_domain_ends_by_itself(lab: Lab) -> None:
    """Power off, crash, reset, and the power button, from inside the guest."""
    domain = lab.use(Domain("self", boot_sector=zlab.BOOT_SECTOR_OBEY))
    for end in (domain.power_off_itself, domain.panic, domain.reset_itself, domain.press_power_button):
        domain.start()
        end()
        domain.wait_state("shut off")


def test_counters_see_reads(lab: Lab) -> None:
    image = sparse(lab.dir / "image", 16 * MIB)
    with zlab.fresh_loop(image) as device:
        before = zlab.counters(device)
        sh(["dd", f"if={device}", "of=/dev/null", "bs=1M", "count=4", "iflag=direct"])
        after = zlab.counters(device)
    assert after.read_sectors - before.read_sectors == 4 * MIB // 512


def test_reboot_keeps_disk_and_definitions(lab: Lab) -> None:
    if lab.phase == 0:
        (lab.dir / "file").write_text("kept")
        Domain("kept").define()
        Path("/etc/zraid/lab-test").write_text("kept")
        Path("/run/lab-test").write_text("gone")
        lab.reboot(boot_id=read("/proc/sys/kernel/random/boot_id"))
    assert read("/proc/sys/kernel/random/boot_id") != lab.state["boot_id"]
    assert (lab.dir / "file").read_text() == "kept"
    assert Path("/etc/zraid/lab-test").read_text() == "kept"
    assert not Path("/run/lab-test").exists()
    assert zlab.virsh("domstate", "kept").out.strip() == "shut off"
    Path("/etc/zraid/lab-test").unlink()
    Domain("kept").remove()


def test_power_cut_loses_what_was_not_synced(lab: Lab) -> None:
    synced, unsynced = lab.dir / "synced", lab.dir / "unsynced"
    if lab.phase == 0:
        with open(synced, "wb") as file:
            file.write(b"s" * MIB)
            os.fsync(file.fileno())
        sh(["sync", "-f", lab.dir])
        unsynced.write_bytes(b"u" * MIB)
        lab.power_cut()
    assert synced.read_bytes() == b"s" * MIB
    assert not unsynced.exists() or unsynced.read_bytes() != b"u" * MIB


def test_power_cut_hits_running_work(lab: Lab) -> None:
    """The host sees what was reported before the cut; the work goes on until then."""
    reported = lab.share / "reported"
    if lab.phase == 0:
        def work() -> None:
            with open(lab.dir / "numbers", "w") as numbers, open(reported, "w") as report:
                for number in range(1_000_000):
                    numbers.write(f"{number}\n")
                    numbers.flush()
                    os.fsync(numbers.fileno())
                    report.write(f"{number}\n")
                    report.flush()
        threading.Thread(target=work, daemon=True).start()
        wait_for(lambda: reported.exists() and reported.stat().st_size > 20, "some reports")
        lab.power_cut(after=1.0, wait=False)
        while True:
            subprocess.run(["true"], check=True)
    told = [int(line) for line in reported.read_text().splitlines()]
    kept = [int(line) for line in (lab.dir / "numbers").read_text().replace("\0", "").split()]
    zlab.say(f"{len(told)} reported, {len(kept)} kept")
    assert len(told) > 10
    assert kept[:len(told)] == told


@zlab.options(memory=1024, slow_iops=50)
def test_another_machine(lab: Lab) -> None:
    """Less memory, and a second disk that is slow."""
    kilobytes = int(Path("/proc/meminfo").read_text().split()[1])
    assert kilobytes < 1024 * 1024
    begun = time.monotonic()
    sh(["dd", "if=/dev/vdb", "of=/dev/null", "bs=4k", "count=150", "iflag=direct"])
    assert time.monotonic() - begun > 1.5
