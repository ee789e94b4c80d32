#!/usr/bin/python3
"""Every test that docs/reliability.md names is there.  check_reliability.py CHECKOUT"""

import re
import subprocess
import sys
from pathlib import Path

checkout = Path(sys.argv[1])
lab = checkout / "tests" / "lab"


def tests(*options: object) -> set:
    listed = subprocess.run([lab / "lab", "run", "--list", *options], stdout=subprocess.PIPE, text=True,
                            check=True)
    return set(listed.stdout.split())


promises = (checkout / "docs" / "reliability.md").read_text().split("## What it does not")[0]
rows = [line for line in promises.splitlines() if line.startswith("| ") and "---" not in line][1:]
there = tests() | tests("--cases", lab / "soak")
problems = []
for row in rows:
    promise, proof = row.strip("| ").rsplit(" | ", 1)
    named = re.findall(r"`([a-z_]+\.[a-z_0-9]+)`", proof)
    if not named:
        problems.append(f"no test is named for: {promise}")
    problems += [f"there is no test {name}" for name in named if name not in there]
if len(rows) < 8:
    problems.append(f"only {len(rows)} promises found")
print("\n".join(problems))
sys.exit(1 if problems else 0)
