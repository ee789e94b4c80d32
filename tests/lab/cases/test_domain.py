"""The main job: domains on pools, through libvirt."""

import os
import signal
from pathlib import Path

import zlab
from toolbox.pools import (HOOK, Now, Watch, assert_one_line, assert_same, assert_silent, make_pool,
                   place_in_image, prepare, put, release, system, with_uuid)
from zlab import MIB, Domain, Lab, counters, sh, sysfs, virsh, wait_for, zraid

RECORDED = Path("/run/lab-recorded-hooks")


def record_hooks(lab: Lab, md: str) -> None:
    """Have libvirt run another hook behind ours that writes down how things are then."""
    script = Path("/etc/libvirt/hooks/qemu.d/zz-record")
    lab.defer(RECORDED.unlink, True)
    lab.defer(script.unlink, True)
    script.write_text("#!/bin/sh\n"
                      f"echo $1 $2 $3 claims $(ls /run/zraid/claims/* 2>/dev/null | grep -c json)"
                      f" ram $(ls -d /sys/block/{md}/md/dev-zram* 2>/dev/null | wc -l) >>{RECORDED}\n")
    script.chmod(0o755)
    RECORDED.write_text("")


def test_main_job(lab: Lab) -> None:
    """define, vol-create, one domain with a volume and one with a block device (the <disk> that
    zraid-pool prints), start: mirrored; guests write; destroy: the RAM leg goes with the last one
    only, and the image has the data. All the time the array has sectors of 4096 bytes."""
    pool = make_pool(lab, "main", "128M")
    volume, block = pool.add_volume("40M"), pool.add_volume("40M")
    md = zlab.name_of(pool.md)
    first = lab.use(Domain("first", [{"pool": "main", "volume": zlab.name_of(volume)}]))
    second = lab.use(Domain("second", [{"dev": block}]))
    disk = zraid("disk-xml", "main", zlab.name_of(block)).out
    virsh("define", "--validate", "/dev/stdin",
          input=second.xml().replace(second.disk_xml(0, second.disks[0]), disk))
    places = [place_in_image(volume, 5 * MIB), place_in_image(block, 7 * MIB)]
    for place in places:
        assert zlab.image_bytes(pool.image, place, 8192) == bytes(8192)
    pool.assert_at_rest()

    with Watch(lambda: sysfs(md, "queue/logical_block_size")) as sector_size:
        first.start()
        filled = pool.fill()
        assert filled.users == ["first"]
        first.write(5 * MIB, 8192, 0xA1, flush=True)
        second.start()
        assert pool.now() == Now("mirrored", ["first", "second"], filled.ram)
        second.write(7 * MIB, 8192, 0xB2, flush=True)
        first.destroy()
        assert pool.now() == Now("mirrored", ["second"], filled.ram)
        second.check(7 * MIB, 8192, 0xB2)
        second.destroy()
        assert pool.now() == Now("disk-only", [], "")
        pool.assert_at_rest()
        assert zlab.zrams() == []
    assert sector_size.asked > 20 and sector_size.answers == {"4096"}, sector_size.answers
    assert zlab.image_bytes(pool.image, places[0], 8192) == b"\xa1" * 8192
    assert zlab.image_bytes(pool.image, places[1], 8192) == b"\xb2" * 8192


def test_reads_go_to_ram(lab: Lab) -> None:
    """While the pool is mirrored the guest's reads never reach the disk leg. The RAM leg taken
    away and given back under the running guest: reads come from the disk leg and from RAM again,
    writes are in both, sectors stay at 4096 bytes."""
    pool = make_pool(lab, "reads", "64M", "--no-libvirt")
    md = zlab.name_of(pool.md)
    domain = lab.use(Domain("reader", [{"dev": pool.md}]))
    loop = pool.info()["disk"]["device"]

    def reads_of_disk_leg(pattern: int) -> int:
        before = counters(loop).reads
        domain.check(8 * MIB, 4 * MIB, pattern)
        return counters(loop).reads - before

    with Watch(lambda: sysfs(md, "queue/logical_block_size")) as sector_size:
        domain.start()
        domain.write(8 * MIB, 4 * MIB, 0xC3)
        pool.fill()
        assert reads_of_disk_leg(0xC3) == 0
        zraid("detach", "reads")
        assert pool.now() == Now("disk-only", ["reader"], "")
        assert reads_of_disk_leg(0xC3) > 0
        domain.write(8 * MIB, 4 * MIB, 0xD4)
        assert reads_of_disk_leg(0xD4) > 0
        pool.attach_and_fill()
        assert reads_of_disk_leg(0xD4) == 0
        domain.write(9 * MIB, 4096, 0xE5, flush=True)
        assert pool.mismatches() == 0
        domain.destroy()
    assert sector_size.asked > 20 and sector_size.answers == {"4096"}, sector_size.answers
    pool.assert_at_rest()
    assert zlab.image_bytes(pool.image, MIB + 9 * MIB - 4096, 12288) == (
        b"\xd4" * 4096 + b"\xe5" * 4096 + b"\xd4" * 4096)


def test_two_pools_and_a_killed_libvirtd(lab: Lab) -> None:
    """One domain on two pools. libvirtd is killed while it runs: claims and mirror stand. When it
    comes back a RAM leg that was missing is attached again, and the other one is the same."""
    kept = make_pool(lab, "kept", "64M", "--no-libvirt")
    lost = make_pool(lab, "lost", "64M", "--no-libvirt")
    domain = lab.use(Domain("both", [{"dev": kept.md}, {"dev": lost.md}]))
    domain.start()
    filled = kept.fill()
    assert filled.users == ["both"]
    assert lost.fill().users == ["both"]
    domain.write(MIB, 4096, 0x11, disk=0)
    domain.write(MIB, 4096, 0x22, disk=1, flush=True)
    # Lost, not detached by an administrator, which would be left so.
    zram = lost.info()["ram"]["device"]
    sh(["mdadm", lost.md, "--fail", zram, "--remove", zram])

    lab.defer(zlab.start_libvirtd)
    zlab.kill_libvirtd(signal.SIGKILL)
    assert kept.now() == filled
    assert lost.now() == Now("disk-only", ["both"], "")

    zlab.start_libvirtd()
    # Reconnecting goes on in a thread of libvirtd's.
    wait_for(lambda: lost.now().ram, "reconnect attached the RAM leg again")
    assert lost.fill().users == ["both"]
    assert kept.now() == filled
    assert domain.state() == "running"
    domain.check(MIB, 4096, 0x11, disk=0)
    domain.check(MIB, 4096, 0x22, disk=1)
    domain.destroy()
    kept.assert_at_rest()
    lost.assert_at_rest()


def test_start_that_fails(lab: Lab) -> None:
    """A start that fails behind prepare, before or after QEMU runs, leaves nothing attached."""
    pool = make_pool(lab, "failing", "64M", "--no-libvirt")
    record_hooks(lab, zlab.name_of(pool.md))
    for name, disks, argument in (
            ("no-disk", [{"dev": pool.md}, {"file": str(lab.dir / "missing")}], ""),
            ("bad-qemu", [{"dev": pool.md}], "<qemu:arg value='-no-such-option'/>")):
        domain = lab.use(Domain(name, disks))
        xml = domain.xml().replace("</qemu:commandline>", f"{argument}</qemu:commandline>")
        virsh("define", "/dev/stdin", input=xml)
        failed = virsh("start", name, check=False)
        assert failed.rc != 0 and name in failed.err
        calls = [line for line in RECORDED.read_text().splitlines() if line.startswith(name)]
        # There was something to clean up: the pool was in use in between.
        assert f"{name} prepare begin claims 1 ram 1" in calls, calls
        assert calls[-1] == f"{name} release end claims 0 ram 0", calls
        pool.assert_at_rest()
        assert zlab.zrams() == []


def test_managedsave(lab: Lab) -> None:
    """A saved domain has no claim and no RAM leg, a restored one has both again."""
    pool = make_pool(lab, "saved", "64M", "--no-libvirt")
    domain = lab.use(Domain("saver", [{"dev": pool.md}]))
    domain.start()
    filled = pool.fill()
    assert filled.users == ["saver"]
    domain.write(MIB, 4096, 0x33)
    virsh("managedsave", "saver")
    assert domain.state() == "shut off"
    pool.assert_at_rest()
    assert zlab.image_bytes(pool.image, 2 * MIB, 4096) == b"\x33" * 4096
    put(pool.md, 2 * MIB, 0x44, 4096)   # a RAM leg that comes back must not know better

    domain.start()
    refilled = pool.fill()
    assert refilled.users == ["saver"] and refilled.ram != filled.ram
    domain.check(MIB, 4096, 0x33)
    domain.check(2 * MIB, 4096, 0x44)
    domain.destroy()
    pool.assert_at_rest()


def test_guest_that_ends_by_itself(lab: Lab) -> None:
    """Power-off from inside, a panic, and a QEMU that is killed do the same as destroy."""
    pool = make_pool(lab, "ends", "64M", "--no-libvirt")
    domain = lab.use(Domain("ending", [{"dev": pool.md}], boot_sector=zlab.BOOT_SECTOR_OBEY))

    def kill() -> None:
        os.kill(int(Path("/run/libvirt/qemu/ending.pid").read_text()), signal.SIGKILL)

    for number, end in enumerate((domain.power_off_itself, domain.panic, kill)):
        domain.start()
        assert pool.fill().users == ["ending"]
        domain.write(number * MIB, 4096, 0x50 + number, flush=True)
        end()
        domain.wait_state("shut off")
        # libvirt may call the domain off before its hook is through.
        wait_for(lambda: pool.now() == Now("disk-only", [], ""), f"at rest behind {end.__name__}")
        wait_for(lambda: not Path("/run/zraid/ram/ends.json").exists(), "the zram device went")
        pool.assert_at_rest()
        assert zlab.image_bytes(pool.image, (1 + number) * MIB, 4096) == bytes([0x50 + number]) * 4096


def test_image_gone(lab: Lab) -> None:
    """Without its array a domain does not start, and whoever starts it is told why; nothing is
    claimed. The same from the hook called by hand."""
    pool = make_pool(lab, "gone", "64M", "--no-libvirt")
    domain = lab.use(Domain("image-gone", [{"dev": pool.md}]))
    zraid("stop", "gone")
    hidden = pool.image.with_suffix(".hidden")
    pool.image.rename(hidden)
    lab.defer(hidden.rename, pool.image)

    assert_one_line(prepare(domain), 1, "pool 'gone'", "its image is not there")
    release(domain)
    assert pool.now() == Now("inactive", [], "")
    domain.uuid = ""
    failed = domain.start(check=False)
    assert failed.rc != 0
    assert "pool 'gone'" in failed.err and "its image is not there" in failed.err, failed.err
    assert pool.now() == Now("inactive", [], "")
    assert zlab.mds() == {} and zlab.zrams() == [] and zlab.loops() == {}


def test_array_not_assembled(lab: Lab) -> None:
    """A domain whose disk's device node does not even exist: prepare assembles the array, and the
    domain runs."""
    pool = make_pool(lab, "asleep", "64M", "--no-libvirt")
    put(pool.md, 3 * MIB, 0x66, 4096)
    zraid("stop", "asleep")
    wait_for(lambda: not Path(pool.md).exists(), f"{pool.md} went")
    domain = lab.use(Domain("waker", [{"dev": pool.md}]))
    domain.start()
    assert pool.fill().users == ["waker"]
    domain.check(3 * MIB, 4096, 0x66)
    domain.destroy()
    pool.assert_at_rest()


def test_no_memory_for_the_ram_leg(lab: Lab) -> None:
    """A RAM leg that does not fit (its zram table alone, at 1 TiB; or its data): the domain starts
    on the disk leg with one warning, and is a user all the same."""
    for name, size in (("huge", "1T"), ("large", "8G")):
        pool = make_pool(lab, name, size, "--no-libvirt")
        domain = with_uuid(Domain(f"on-{name}", [{"dev": pool.md}]))
        assert_one_line(prepare(domain), 0, f"pool '{name}'", "disk leg alone", "RAM leg may need")
        assert pool.now() == Now("disk-only", [domain.name], "")
        assert zlab.zrams() == []
        assert_silent(release(domain))
        pool.assert_at_rest()


def test_no_zram_in_the_kernel(lab: Lab) -> None:
    """Where zram cannot be had at all: one warning, and the domain really runs."""
    pool = make_pool(lab, "without", "64M", "--no-libvirt")
    sh(["modprobe", "-r", "zram"], check=False)
    rule = Path("/etc/modprobe.d/lab-no-zram.conf")
    lab.defer(sh, ["modprobe", "zram", "num_devices=0"])
    lab.defer(rule.unlink, True)
    rule.parent.mkdir(exist_ok=True)
    rule.write_text("install zram /bin/false\n")
    assert not Path("/sys/class/zram-control").exists()

    domain = lab.use(Domain("without-zram", [{"dev": pool.md}]))
    assert_one_line(prepare(domain), 0, "pool 'without'", "disk leg alone", "zram")
    assert_silent(release(domain))
    domain.uuid = ""
    domain.start()
    assert pool.now() == Now("disk-only", ["without-zram"], "")
    domain.write(MIB, 4096, 0x77, flush=True)
    domain.destroy()
    pool.assert_at_rest()
    assert zlab.image_bytes(pool.image, 2 * MIB, 4096) == b"\x77" * 4096


def test_other_operations_do_nothing(lab: Lab) -> None:
    """Operations that are none of zraid's business change nothing and say nothing."""
    pool = make_pool(lab, "idle", "64M", "--no-libvirt")
    domain = with_uuid(Domain("idler", [{"dev": pool.md}]))
    before = system(lab.dir)
    for words in ("start begin", "started begin", "stopped end", "migrate begin", "restore begin",
                  "attach begin", "prepare end", "release begin", "reconnect end", "Prepare begin"):
        assert_silent(sh([HOOK, domain.name, *words.split(), "-"], input=domain.xml()))
        assert_same(before, system(lab.dir))
