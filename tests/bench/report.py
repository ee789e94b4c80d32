"""Tables and plots from the figures of a run."""

import subprocess
from pathlib import Path
from typing import Any, Dict, Iterable, List, NamedTuple, Optional

Result = Dict[str, Any]
TITLES = {
    "hdd": "Disk of {hdd} requests a second",
    "ssd": "Disk of {ssd} requests a second",
    "native": "Native speed: user-mode Linux, a disk without a limit",
    "tuning": "What md's own writes cost",
    "hook": "The hook",
    "start": "Start of a domain",
    "fill": "The fill",
    "chunk": "The bitmap's chunk: time of the fill, and what it reads",
    "guest and fill": "A guest that reads while its pool is filled",
}
RAW, CACHED, ZRAID, ZRAM = "raw image, cache=none", "raw image, page cache", "zraid", "bare zram"
READS = "random read 4k, 1 at a time"
PRESSED = f"{READS}, host short of memory"


def human(figure: float, unit: str) -> str:
    if unit == "s":
        return f"{figure * 1000:.1f} ms" if figure < 1 else f"{figure:.1f} s"
    if unit in ("B/s", "B") and figure >= 1 << 20:
        return f"{figure / (1 << 20):.0f} Mi{unit}"
    if unit == "B":
        return f"{figure:.2f} B"
    return f"{figure:.0f} {unit}" if figure >= 100 else f"{figure:.1f} {unit}"


class Figures:
    """Medians by section, what and who."""

    def __init__(self, result: Result):
        self.rows = result["rows"]
        self._medians = {(row["section"], row["what"], row["who"]): row["median"] for row in self.rows}

    def get(self, section: str, what: str, who: str) -> Optional[float]:
        return self._medians.get((section, what, who))

    def ratio(self, section: str, what: str, who: str, other: str, other_what: str = "") -> Optional[float]:
        one, two = self.get(section, what, who), self.get(section, other_what or what, other)
        return one / two if one is not None and two else None


class Mark(NamedTuple):
    what: str
    reached: Optional[float]
    wanted: Optional[float] = None      # None: what there is to reach, for comparison
    at_least: bool = True

    @property
    def goal(self) -> str:
        return "" if self.wanted is None else f"{'≥' if self.at_least else '≤'} {self.wanted}"

    @property
    def verdict(self) -> str:
        if self.wanted is None or (self.reached is not None and (self.reached >= self.wanted) == self.at_least):
            return ""
        return "missed"


def marks(figures: Figures) -> List[Mark]:
    prepare, of_table = "prepare with attach, {} GiB", "of it, the table of zram"

    def without_table(gib: int) -> Optional[float]:
        whole, part = (figures.get("hook", prepare.format(gib), who) for who in ("hook", of_table))
        return whole - part if whole and part else None

    rest = [without_table(gib) for gib in (64, 1)]
    found = [
        Mark("random reads, mirrored, of the bare zram device's", figures.ratio("hdd", READS, ZRAID, ZRAM), 0.9, True),
        Mark("random reads, mirrored, of the bare zram device's, at native speed",
             figures.ratio("native", READS, ZRAID, ZRAM), 0.9, True),
        Mark("random reads, mirrored, of the raw image's on the slow disk",
             figures.ratio("hdd", READS, ZRAID, RAW), 20, True),
        Mark("random reads, mirrored, of the page cache's, host short of memory",
             figures.ratio("hdd", PRESSED, ZRAID, CACHED), 5, True),
        Mark("full add's time by the fill's, 8 GiB, 5 % full",
             figures.ratio("fill", "8 GiB, 5% full", "mdadm --add", "zraid attach to mirrored"), 8, True),
        Mark("… and what a fill would reach that takes no longer than dd",
             figures.ratio("fill", "8 GiB, 5% full", "mdadm --add", "dd to a zram device")),
        Mark("fill's time by dd's of the same data, 8 GiB, 5 % full",
             figures.ratio("fill", "8 GiB, 5% full", "zraid attach to mirrored", "dd to a zram device"), 1.5, False),
        Mark("fill's time by dd's of the same data, 4 GiB, full",
             figures.ratio("fill", "4 GiB, full", "zraid attach to mirrored", "dd to a zram device"), 1.5, False),
        Mark("SQLite, of the raw image's, slow disk",
             figures.ratio("hdd", "SQLite, transactions", ZRAID, RAW), 0.95, True),
        Mark("SQLite, of the raw image's, fast disk",
             figures.ratio("ssd", "SQLite, transactions", ZRAID, RAW), 0.95, True),
        Mark("SQLite, of the raw image's, at native speed",
             figures.ratio("native", "SQLite, transactions", ZRAID, RAW), 0.95, True),
        Mark("unflushed writes, of the page cache's, at native speed",
             figures.ratio("native", "random write 4k, no flush", ZRAID, CACHED), 0.8, True),
        Mark("unflushed writes, of the page cache's, slow disk",
             figures.ratio("hdd", "random write 4k, no flush", ZRAID, CACHED), 0.8, True),
        Mark("hook with attach, 64 GiB by 1 GiB",
             figures.ratio("hook", prepare.format(64), "hook", "hook", prepare.format(1)), 1.5, False),
        Mark("… and the share of zram's table in it, 64 GiB",
             figures.ratio("hook", prepare.format(64), of_table, "hook")),
        Mark("… and without that table, 64 GiB by 1 GiB", rest[0] / rest[1] if all(rest) else None, 1.5, False),
        Mark("hook with attach, 1 GiB, by mdadm --re-add",
             figures.ratio("hook", prepare.format(1), "hook", "-", "mdadm --re-add"), 2, False),
        Mark("hook without zraid disks, by /bin/true",
             figures.ratio("hook", "prepare, no zraid disk", "hook", "-", "/bin/true"), 3, False),
        Mark("memory for a byte of content", figures.get("hdd", "memory for a byte of content", ZRAID), 0.6, False),
    ]
    return [mark for mark in found if mark.reached is not None]


def table(head: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    rows = [list(head), *[list(line) for line in lines]]
    text = "".join(f"| {' | '.join(row)} |\n" for row in rows[:1])
    text += f"|{' --- |' * len(rows[0])}\n"
    return text + "".join(f"| {' | '.join(row)} |\n" for row in rows[1:])


def section_table(rows: List[Dict[str, Any]], base: str) -> str:
    """A line for each measurement and contender; how it compares with `base`, if that is there."""
    lines, last = [], ""
    bases = {row["what"]: row["median"] for row in rows if row["who"] == base}
    for row in sorted(rows, key=lambda row: [other["what"] for other in rows].index(row["what"])):
        ratio = row["median"] / bases[row["what"]] if bases.get(row["what"]) else None
        lines.append([row["what"] if row["what"] != last else "", row["who"],
                      *[human(row[key], row["unit"]) for key in ("median", "lowest", "highest")],
                      "" if ratio is None else f"{ratio:.2f}"])
        last = row["what"]
    return table(["what", "who", "median", "lowest", "highest", f"by {base}" if bases else ""], lines)


BASES = {"hdd": RAW, "ssd": RAW, "native": RAW, "tuning": "md's defaults", "fill": "dd to a zram device",
         "start": "no hook", "chunk": "chunk 4M", "hook": "", "guest and fill": ""}


def write(result: Result, folder: Path) -> None:
    figures = Figures(result)
    text = [f"# Figures of {result['date']}\n",
            f"Linux {result['kernel']} on {result['processors']} emulated processors. Medians of interleaved "
            "rounds, written by `tests/bench/run`; only ratios within a section mean anything.\n",
            "## Marks\n",
            table(["what", "reached", "mark", ""],
                  ([mark.what, f"{mark.reached:.2f}", mark.goal, mark.verdict] for mark in marks(figures)))]
    for section, title in TITLES.items():
        rows = [row for row in result["rows"] if row["section"] == section]
        if not rows:
            continue
        text += [f"## {title.format(**result['disks'])}\n",
                 f"Up to {max(len(row['runs']) for row in rows)} figures each, {rows[0]['date']}.\n"]
        if section in ("hdd", "ssd", "native"):
            plot(rows, folder / f"{section}.svg", title.format(**result["disks"]))
            text += [f"![as multiples of the raw image]({section}.svg)\n"]
        if section == "fill":
            plot_fill(rows, folder / "fill.svg")
            text += ["![time of the fill](fill.svg)\n"]
        text += [section_table(rows, BASES[section])]
    (folder / "results.md").write_text("\n".join(text))


# --- plots

def gnuplot(commands: str) -> None:
    subprocess.run(["gnuplot"], input=commands, text=True, check=True)


def label(text: str) -> str:
    return '"' + text.replace('"', "'").replace("_", "\\\\_") + '"'


def histogram(file: Path, title: str, axis: str, whats: List[str], whos: List[str], cell) -> None:
    """Groups of bars, on a logarithmic axis; cell(what, who) is a number or None."""
    data = "\n".join(" ".join([label(what), *[str(cell(what, who) or "NaN") for who in whos]]) for what in whats)
    bars = ", ".join(f"$data using {number + 2}:xtic(1) title {label(who)}" for number, who in enumerate(whos))
    gnuplot(f"""
set terminal svg size 1100,560 font "sans,12" background "white"
set output "{file}"
set title {label(title)}
set ylabel {label(axis)}
set logscale y
set grid ytics
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.9 border -1
set xtics rotate by -20
set key outside right top
$data << END
{data}
END
plot {bars}
""")


def plot(rows: List[Dict[str, Any]], file: Path, title: str) -> None:
    medians = {(row["what"], row["who"]): row["median"] for row in rows if not row["what"].startswith("memory")}
    whats = list(dict.fromkeys(what for what, _ in medians))
    whos = [who for who in dict.fromkeys(who for _, who in medians) if who != RAW]
    histogram(file, title, "multiples of the raw image", whats, whos,
              lambda what, who: medians[what, who] / medians[what, RAW] if (what, who) in medians else None)


def plot_fill(rows: List[Dict[str, Any]], file: Path) -> None:
    medians = {(row["what"], row["who"]): row["median"] for row in rows}
    whats = list(dict.fromkeys(what for what, _ in medians))
    whos = list(dict.fromkeys(who for _, who in medians))
    histogram(file, "Time until the RAM leg is full", "seconds", whats, whos,
              lambda what, who: medians.get((what, who)))
