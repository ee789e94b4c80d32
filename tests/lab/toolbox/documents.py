"""Commands and what they print, as the documents show them.

Importable on the host as well.
"""

import re
from typing import List, NamedTuple, Set


class Step(NamedTuple):
    command: str
    shown: List[str]                # lines that the document shows below it


def transcript(markdown: str, heading: str) -> List[Step]:
    """The commands in the code blocks below a heading of the second level, in order.

    A command is a line that begins with "# "; what it prints follows. Blocks without such a line
    are no part of it.
    """
    section = re.search(rf"(?ms)^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", markdown)
    assert section, f"there is no '## {heading}'"
    steps: List[Step] = []
    for block in re.findall(r"(?ms)^```\w*\n(.*?)^```", section[1]):
        inside = False
        for line in block.splitlines():
            if line.startswith("# "):
                steps.append(Step(line[2:], []))
                inside = True
            elif inside:
                steps[-1].shown.append(line)
    return steps


def examples(manual: str) -> List[str]:
    """The commands in the literal blocks (.nf to .fi) of a manual's section EXAMPLES, in order."""
    section = re.search(r"(?ms)^\.SH EXAMPLES\n(.*?)(?=^\.SH |\Z)", manual)
    assert section, "there is no section EXAMPLES"
    commands: List[str] = []
    for block in re.findall(r"(?ms)^\.nf\n(.*?)^\.fi", section[1]):
        text = block.replace("\\-", "-").replace("\\e", "\\")
        text = re.sub(r"(\\|(?<=\|))\n\s*", " ", text)      # a command over several lines
        commands += text.splitlines()
    return commands


# What differs from run to run.
FIGURES = (
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",         # a UUID
    r"/dev/(?:loop|zram)\d+",
    r"\d+(?:\.\d+)? (?:[KMGT]i)?B\b",                       # a size
    r"\d+(?:\.\d+)? ?%",
    r"\d+ s\b",
    r"\s+",                                                 # the width of a column
)
PROGRESS = re.compile(r"Pool '.*' is (filling|compared): \d+ %")


def sizes_given(command: str) -> Set[str]:
    """"4G" in a command is "4 GiB" in what others print."""
    return {f"{number} {unit}iB" for number, unit in re.findall(r"\b(\d+)([KMGT])\b", command)}


def pattern_of(line: str, given: Set[str]) -> str:
    """What a line may look like: figures are any, but for sizes that a command gave."""
    pattern, at = "", 0
    any_figure = "|".join(f"({figure})" for figure in FIGURES)
    for match in re.finditer(any_figure, line):
        pattern += re.escape(line[at:match.start()])
        figure = FIGURES[(match.lastindex or 0) - 1]
        pattern += re.escape(match[0]) if match[0] in given else figure
        at = match.end()
    return pattern + re.escape(line[at:])


def difference(shown: List[str], printed: List[str], given: Set[str]) -> str:
    """What is wrong with the document; empty if nothing is."""
    shown = [line for line in shown if line.strip()]
    printed = [line.rstrip() for line in printed if line.strip() and not PROGRESS.match(line)]
    for i in range(max(len(shown), len(printed))):
        expected = shown[i] if i < len(shown) else "(nothing)"
        got = printed[i] if i < len(printed) else "(nothing)"
        if not re.fullmatch(pattern_of(expected, given), got):
            return f"shown:   {expected}\nprinted: {got}"
    return ""
