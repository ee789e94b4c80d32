"""What a guest flushed is on the disk, whatever the power does."""

import time
from pathlib import Path

import zlab
from scenarios import powercuts
from toolbox import domain_writer, records
from toolbox.pools import Pool, drop_pool, place_in_image
from zlab import MIB, Lab, fresh_loop, sh, wait_for, zraid

SLOW_WRITES = 700               # ms


@zlab.options(timeout=180)
def test_five_cuts(lab: Lab) -> None:
    """Five power cuts, mirrored and disk-only, while the RAM leg fills, comes and goes: every
    record whose flush had returned is on the array and in the image. 0 are lost."""
    powercuts.run(lab, len(powercuts.SITUATIONS))


@zlab.options(timeout=240)
def test_a_domain_writes(lab: Lab) -> None:
    """A guest writes and flushes through QEMU, to a mirrored pool; the power goes. Every record that
    it reported is in the volume, and in the image by itself."""
    pool, report = Pool("domain", lab.dir / "domain.img"), lab.share / "reported"
    lab.defer(drop_pool, "domain")
    lab.defer(zlab.Domain("writer").remove)     # libvirt remembers it over the cut
    if lab.phase == 0:
        zraid("define", "domain", "--image", pool.image, "--size", "64M", "--no-libvirt")
        partition = pool.add_partition()
        domain = domain_writer.start("writer", partition, report, 1)
        pool.fill()
        wait_for(lambda: domain_writer.last_number(report) > 20, "records of the guest", 120)
        assert domain.state() == "running" and pool.now().state == "mirrored"
        lab.power_cut(after=1.0, number=domain_writer.last_number(report))
    zraid("start", "domain")
    partition = f"{pool.md}p1"
    missing = domain_writer.lost(partition, report)
    zlab.say(f"{len(domain_writer.reported(report))} places reported, lost = {len(missing)}")
    assert not missing, missing
    with fresh_loop(pool.image, place_in_image(partition, 0)) as image:
        assert not domain_writer.lost(image, report), "the array has it, the image has not"
    assert domain_writer.last_number(report) > lab.state["number"], "nothing before the cut"
    pool.attach_and_fill()
    zraid("scrub", "domain")
    zraid("detach", "domain")


@zlab.options(timeout=180)
def test_write_behind_loses(lab: Lab) -> None:
    """The same writer on an array with md's write-behind, over a slow disk leg, does lose flushed
    records: the test can tell."""
    image, report = lab.dir / "behind.img", lab.share / "reported"
    if lab.phase == 1:
        missing = records.lost(str(image), report, MIB)
        zlab.say(f"{len(records.reported(report))} places reported, lost = {len(missing)}")
        assert missing
        return
    with open(image, "wb") as file:
        file.truncate(64 * MIB)
    loop = sh(["losetup", "-f", "--show", "-b", "4096", image]).out.strip()
    sectors = 64 * MIB // 512
    # Reads and flushes at once, writes late: md sends behind writes and does not wait for them.
    sh(["dmsetup", "create", "slow", "--table",
        f"0 {sectors} delay {loop} 0 0 {loop} 0 {SLOW_WRITES} {loop} 0 0"])
    sh(["modprobe", "zram", "num_devices=0"])
    number = zlab.read("/sys/class/zram-control/hot_add")
    Path(f"/sys/block/zram{number}/disksize").write_text(str(64 * MIB))
    sh(["mdadm", "--create", "/dev/md90", "--run", "--quiet", "--level=1", "--raid-devices=2",
        "--metadata=1.2", "--data-offset=1M", "--assume-clean", "--bitmap=internal",
        "--bitmap-chunk=4M", "--write-behind=16000", "--write-mostly", "/dev/mapper/slow",
        f"/dev/zram{number}"], timeout=120)
    writer = records.Writer("/dev/md90", range(256, 4096), report, 1)
    writer.start()
    wait_for(lambda: writer.error or writer.number > 20, "the first records", 120)
    lab.power_cut(after=1.0, wait=False)
    while not writer.error:
        time.sleep(0.1)         # until the power goes
    raise writer.error
