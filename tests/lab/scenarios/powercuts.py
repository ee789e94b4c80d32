"""Power cuts at random moments, under load: a test in any number of cuts."""

import random
import subprocess
import time
from pathlib import Path

import zlab
from toolbox import records
from toolbox.pools import Pool, drop_pool
from zlab import MIB, Lab, zraid

NAME = "cuts"
PLACES = range(1024, 1024 + 2048)       # 4 MiB into the array, 8 MiB long
SITUATIONS = ("mirrored", "filling", "attaching", "detaching", "disk-only")


def _check(lab: Lab, pool: Pool) -> None:
    """Behind a cut: every record that was reported is there, on the array and in the image."""
    zraid("start", NAME)
    report = lab.share / "reported"
    numbers = records.reported(report)
    missing = records.lost(pool.md, report)
    zlab.say(f"cut {lab.phase} ({lab.state['situation']}): {len(numbers)} places reported, "
             f"lost = {len(missing)}")
    assert not missing, missing
    assert not records.lost(str(pool.image), report, MIB), "the array has it, the image has not"
    # The fault took effect: the cut came while records were written.
    assert max(numbers.values()) > lab.state["number"] + 3, "no record was written before the cut"


def _prepare(pool: Pool, situation: str) -> None:
    """Up to where the writer starts."""
    if situation in ("mirrored", "detaching"):
        zraid("attach", NAME)
        zraid("wait", NAME)
    if situation == "filling":
        # Slow enough that the cut hits it.
        md = Path("/sys/block") / zlab.name_of(pool.md) / "md"
        (md / "sync_speed_max").write_text("2000")
        zraid("attach", NAME)
        assert pool.info()["state"] == "filling"


def _during(situation: str) -> None:
    """What runs beside the writer when the power goes."""
    command = {"attaching": "attach", "detaching": "detach"}.get(situation)
    while command:
        subprocess.run(["zraid-pool", command, NAME], check=True, stdout=subprocess.DEVNULL)
        command = "detach" if command == "attach" else "attach"


def run(lab: Lab, cuts: int) -> None:
    """Cut the power so many times, each in another situation; see SITUATIONS."""
    pool = Pool(NAME, lab.dir / "cuts.img")
    lab.defer(drop_pool, NAME)
    if lab.phase == 0:
        zraid("define", NAME, "--image", pool.image, "--size", "96M", "--no-libvirt")
        zlab.sh(["dd", "if=/dev/urandom", f"of={pool.md}", "bs=1M", "seek=16", "count=40",
                 "oflag=direct"])
    else:
        _check(lab, pool)
    if lab.phase == cuts:
        zraid("attach", NAME)
        zraid("wait", NAME)
        assert pool.mismatches() == 0
        return

    situation = SITUATIONS[lab.phase % len(SITUATIONS)]
    _prepare(pool, situation)
    report = lab.share / "reported"
    number = max(records.reported(report).values(), default=0) + 1
    after = random.uniform(0.7, 2.5)
    zlab.say(f"{situation}: cut after {after:.2f} s")
    writer = records.Writer(pool.md, PLACES, report, number)
    writer.start()
    zlab.wait_for(lambda: writer.error or writer.number > number + 5, "the first records")
    lab.power_cut(after=after, wait=False, number=number, situation=situation)
    _during(situation)
    while not writer.error:
        time.sleep(0.1)         # until the power goes
    raise writer.error
