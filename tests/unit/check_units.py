#!/usr/bin/python3
"""systemd must find nothing wrong with the units that are installed, each program of theirs in its
place.

usage: check_units.py FOLDER-OF-BUILT-UNITS FOLDER-OF-INSTALLED-PROGRAMS
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> int:
    if len(sys.argv) != 3:
        print((__doc__ or "").split("\n\n")[1], file=sys.stderr)
        return 2
    units = sorted(Path(sys.argv[1]).glob("*/*.service"))
    if len(units) != 3:
        print(f"not three units: {units}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as scratch:
        names = []
        for unit in units:
            # Not installed yet: any program does, but only those of ours are looked for.
            text, count = re.subn(rf"(?m)^(Exec\w+=){re.escape(sys.argv[2])}/zraid-[a-z]+(?= |$)",
                                  r"\1/bin/true", unit.read_text(encoding="utf-8"))
            if count != 1:
                print(f"{unit}: not one program of ours", file=sys.stderr)
                return 1
            copy = Path(scratch) / unit.name
            copy.write_text(text, encoding="utf-8")
            names.append(copy.with_name(unit.name.replace("@.", "@vm.")) if "@." in unit.name else copy)
        result = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *names],
                                capture_output=True, text=True, timeout=120, check=False)
    print(result.stdout + result.stderr, file=sys.stderr)
    return 1 if result.returncode != 0 or result.stderr.strip() else 0


if __name__ == "__main__":
    sys.exit(main())
