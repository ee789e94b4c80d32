#!/usr/bin/python3
"""Every #include between folders is one that docs/architecture.md allows.  check_layers.py CHECKOUT

There a table "folder | may use" has a line for each folder of the sources; what a folder uses stands
further down in it.
"""

import re
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Set, Tuple

PROGRAMS = ("hook", "pool-helper")


def read_table(text: str) -> Dict[str, Set[str]]:
    """By folder, in the order of the table, what it may use."""
    lines = iter(text.splitlines())
    for line in lines:
        if re.fullmatch(r"\| *folder *\| *may use *\|", line):
            break
    table: Dict[str, Set[str]] = {}
    for line in lines:
        if not line.startswith("|"):
            break
        if set(line) <= set("|- "):
            continue
        folder, _, used = line.strip("| ").partition("|")
        table[folder.strip(" `")] = set(re.findall(r"`([a-z-]+)`", used))
    return table


def sources(checkout: Path) -> Iterator[Tuple[str, Path]]:
    """Each source with the folder that it counts to."""
    tops = [*sorted((checkout / "src").iterdir()), *(checkout / name for name in PROGRAMS)]
    for top in tops:
        if top.is_dir():
            for path in sorted(top.rglob("*")):
                if path.suffix in (".cc", ".h"):
                    yield top.name, path


def used_folders(checkout: Path, folder: str, path: Path) -> Set[str]:
    """Folders that a source includes from, apart from its own and what is below that."""
    found = set(re.findall(r'^ *# *include *"([^"/]+)/', path.read_text(encoding="utf-8"), re.MULTILINE))
    inside = checkout / folder
    return {name for name in found if name != folder and not (inside / name).is_dir()}


def problems_of_table(table: Dict[str, Set[str]]) -> List[str]:
    if not table:
        return ["docs/architecture.md has no table 'folder | may use'"]
    rows = list(table)
    problems = []
    for number, folder in enumerate(rows):
        for other in sorted(table[folder]):
            if other not in table:
                problems.append(f"docs/architecture.md: '{folder}' may use '{other}', which has no line")
            elif rows.index(other) <= number:
                problems.append(f"docs/architecture.md: '{folder}' may use '{other}', which does not "
                                "stand further down")
    return problems


def check(checkout: Path) -> List[str]:
    table = read_table((checkout / "docs" / "architecture.md").read_text(encoding="utf-8"))
    problems = problems_of_table(table)
    seen = set()
    for folder, path in sources(checkout):
        seen.add(folder)
        if folder not in table:
            continue
        for other in sorted(used_folders(checkout, folder, path) - table[folder]):
            problems.append(f"{path.relative_to(checkout)}: includes from '{other}', which '{folder}' "
                            "may not use (docs/architecture.md)")
    problems += [f"docs/architecture.md: the folder '{name}' has no line" for name in sorted(seen - set(table))]
    problems += [f"docs/architecture.md: there is no folder '{name}'" for name in sorted(set(table) - seen)]
    return problems


if __name__ == "__main__":
    found_problems = check(Path(sys.argv[1]))
    print("\n".join(found_problems))
    sys.exit(1 if found_problems else 0)
