"""zraid-pool behaves as other commands do: questions, progress, colours."""

import re
import subprocess
from pathlib import Path

import zlab
from toolbox.pools import DEFINITIONS, assert_one_line, make_pool
from toolbox.terminal import on_terminal
from zlab import MIB, Lab, name_of, wait_for, zraid

RED = "\x1b[31m"


@zlab.options(timeout=300)
def test_asks_before_data_go(lab: Lab) -> None:
    """On a terminal by a question; elsewhere it wants --yes, and changes nothing without."""
    pool = make_pool(lab, "asked", "64M")
    volume = Path(pool.add_volume())
    for words, gone, no in (
            (["vol-delete", "asked", volume.name], f"Volume '{volume.name}' (20 MiB) of pool 'asked'", "n\n"),
            (["undefine", "asked", "--remove-image"], f"The image '{pool.image}' (64 MiB) of pool 'asked'", "\x04")):
        assert_one_line(zraid(*words, check=False), 2, "pool 'asked'", "no terminal", "add --yes")
        seen = on_terminal(["zraid-pool", *words], no)
        assert seen.rc == 1 and gone in seen.text and "Go on? [y/N]" in seen.text, seen
        assert "nothing was changed" in seen.text, seen
        assert pool.image.exists() and (DEFINITIONS / "asked.xml").exists()
        assert volume.is_block_device() or words[0] == "undefine"
        seen = on_terminal(["zraid-pool", *words], "yes\n")
        assert seen.rc == 0 and "Go on? [y/N]" in seen.text, seen
        wait_for(lambda: not volume.exists(), "the volume is gone")
    assert not pool.image.exists() and not (DEFINITIONS / "asked.xml").exists()


def test_progress_and_colours(lab: Lab) -> None:
    """A fill that takes its time: lines elsewhere than on a terminal, a bar there; colours likewise."""
    pool = make_pool(lab, "slow", "64M", "--no-libvirt")
    with open(pool.md, "r+b") as array:
        array.seek(4 * MIB)
        for _ in range(48):
            array.write(Path("/dev/urandom").open("rb").read(MIB))
    speed = Path("/sys/block") / name_of(pool.md) / "md/sync_speed_max"
    speed.write_text("1000")        # KiB/s
    zraid("attach", "slow")
    listed = on_terminal(["zraid-pool", "list"])
    assert "\x1b[33mfilling\x1b[0m" in listed.text, listed
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in on_terminal(["zraid-pool", "list"], env=env).text
    assert "\x1b" not in zraid("list").out
    with subprocess.Popen(["zraid-pool", "wait", "slow"], stdout=subprocess.PIPE, text=True) as waiting:
        first = waiting.stdout.readline() if waiting.stdout else ""
        speed.write_text("500000")
        rest = waiting.communicate(timeout=120)[0].splitlines()
    assert rest[-1] == "Pool 'slow' is mirrored.", rest
    for line in (first.strip(), *rest[:-1]):
        assert re.fullmatch(r"Pool 'slow' is filling: \d+ %(, .* left)?", line), line
    scrubbed = on_terminal(["zraid-pool", "scrub", "slow"])
    assert scrubbed.rc == 0 and re.search(r"\r\[#* *\] +\d+\.\d %", scrubbed.text), scrubbed
    failed = on_terminal(["zraid-pool", "info", "nobody"])
    assert failed.rc == 1 and f"{RED}zraid-pool:\x1b[0m pool 'nobody'" in failed.text, failed
