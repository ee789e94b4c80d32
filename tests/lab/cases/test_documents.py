"""What README's tour and the manual's examples show is what happens."""

import re
import shlex
from pathlib import Path
from typing import Set

from toolbox.documents import difference, examples, sizes_given, transcript
from toolbox.pools import DEFINITIONS
from zlab import Domain, Lab, say, sh, zraid

TREE = Path(__file__).parents[3]
IMAGES = Path("/var/lib/libvirt/images")
MDADM_CONF = Path("/etc/mdadm/mdadm.conf")


def install(lab: Lab, command: str) -> None:
    """In the place of virt-install and the installer's system: a machine with this disk, shut off."""
    words = shlex.split(command)
    name = words[words.index("--name") + 1]
    pool, volume = re.findall(r"vol=([^/]+)/(\S+)", command)[0]
    lab.use(Domain(name, [{"pool": pool, "volume": volume}])).define()


# Commands of the tour that are not run as they stand: how they begin, and what is done instead.
STAND_INS = {"virt-install ": install}


def run(command: str, folder: Path) -> list:
    done = sh(["bash", "-c", f"set -o pipefail; {command}"], cwd=folder, timeout=300)
    return (done.out + done.err).splitlines()


def host(lab: Lab) -> None:
    """What the documents take for granted, and an end of all pools."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    sh(["mount", "--bind", lab.dir, IMAGES])
    lab.defer(sh, ["umount", IMAGES])
    lab.defer(MDADM_CONF.write_text, MDADM_CONF.read_text())
    MDADM_CONF.write_text("MAILADDR root\n")

    def clean() -> None:
        for file in DEFINITIONS.glob("*.xml"):
            zraid("undefine", file.stem, "--remove-image", "--yes", check=False)
    lab.defer(clean)


def test_tour(lab: Lab) -> None:
    """README's tour from its first command to its last, with the output that it shows."""
    host(lab)
    steps = transcript((TREE / "README.md").read_text(), "Tour")
    assert len(steps) > 8, steps
    given: Set[str] = set()
    problems = []
    for step in steps:
        given |= sizes_given(step.command)
        stand_in = next((act for begin, act in STAND_INS.items() if step.command.startswith(begin)), None)
        if stand_in:
            say(f"in the place of: {step.command}")
            stand_in(lab, step.command)
            continue
        wrong = difference(step.shown, run(step.command, lab.dir), given)
        if wrong:
            problems.append(f"# {step.command}\n{wrong}")
    assert not problems, "README's tour differs from what is printed:\n" + "\n".join(problems)


def test_examples_of_the_manual(lab: Lab) -> None:
    """Each command under EXAMPLES in zraid-pool(8) works, one behind the other."""
    host(lab)
    lab.use(Domain("web")).define()
    commands = examples((TREE / "docs/man/zraid-pool.8").read_text())
    assert len(commands) > 8, commands
    for command in commands:
        run(command, lab.dir)
