#!/usr/bin/python3
"""zraid-pool --help and its manual must list the same subcommands, arguments and options.

usage: check_manual.py PATH-OF-ZRAID-POOL PATH-OF-zraid-pool.8

What the manual's source has to look like for this: under .SH COMMANDS a section .SS NAME for each
subcommand, which begins with its synopsis, .SY to .YS (.I ARGUMENT, .OP OPTION, .B REQUIRED-OPTION),
and explains each option in a paragraph of its own, .TP. Options of all commands are under
.SH OPTIONS.
"""

import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Options:
    """Option names ("--size", "-v") that belong together, and whether each takes a value."""

    takes_value: dict[str, bool] = field(default_factory=dict)

    def add(self, name: str, value: bool) -> None:
        self.takes_value[name] = value


@dataclass
class Command:
    arguments: list[str] = field(default_factory=list)
    options: Options = field(default_factory=Options)
    synopsis: Options = field(default_factory=Options)      # of the manual only


# --- the program's side -----------------------------------------------------------------------

def help_text(program: str, *words: str) -> list[str]:
    result = subprocess.run([program, *words, "--help"], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"{program} {' '.join(words)} --help: exit code {result.returncode}: {result.stderr}")
    return result.stdout.splitlines()


def section(lines: list[str], title: str) -> list[str]:
    """The indented lines behind "title:"."""
    if title + ":" not in lines:
        return []
    rest = lines[lines.index(title + ":") + 1:]
    end = next((i for i, line in enumerate(rest) if not line.startswith(" ")), len(rest))
    return rest[:end]


# Where CLI11 begins the descriptions.
DESCRIPTIONS = 30


def help_options(lines: list[str]) -> Options:
    options = Options()
    for line in section(lines, "Options"):
        line = re.sub(r" Excludes: \S+", "", line)       # what stands behind a flag too
        match = re.match(r"  (-\S+)( ?)(\S?)", line)
        if not match:
            continue        # a description that goes on
        value = bool(match[3]) and match[2] == " " and match.start(3) < DESCRIPTIONS
        for name in match[1].split(","):
            options.add(name.split("=")[0], value)
    return options


def help_arguments(lines: list[str]) -> list[str]:
    return [line.split()[0] for line in section(lines, "Positionals") if re.match(r"  \S", line)]


def help_commands(program: str) -> dict[str, Command]:
    names = [line.split()[0] for line in section(help_text(program), "Subcommands")
             if re.match(r"  \S", line)]
    commands = {}
    for name in names:
        lines = help_text(program, name)
        commands[name] = Command(help_arguments(lines), help_options(lines))
    return commands


# --- the manual's side ------------------------------------------------------------------------

def plain(text: str) -> str:
    """A line of the source without font changes, quotes and escaped hyphens."""
    return re.sub(r"\\f.", "", text).replace("\\-", "-").replace('"', "").strip()


def manual_sections(lines: list[str]) -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith(".SH "):
            sections[plain(line[4:])] = current = []
        elif sections:
            current.append(line)
    return sections


def explained_options(lines: list[str]) -> Options:
    """The heads of the .TP paragraphs that are options: `.BI -c " URI, " --connect " URI"`."""
    options = Options()
    for before, line in zip(lines, lines[1:]):
        if not before.startswith(".TP") or not line.startswith(".B"):
            continue
        for part in plain(line.split(maxsplit=1)[1]).split(","):
            words = part.split()
            if words and words[0].startswith("-"):
                options.add(words[0], len(words) > 1)
    return options


def manual_command(lines: list[str]) -> Command:
    command = Command()
    if not (lines and lines[0].startswith(".SY ") and ".YS" in lines):
        return command
    end = lines.index(".YS")
    required = None         # an option whose value comes in the next line
    for line in lines[1:end]:
        macro, _, text = line.partition(" ")
        words = plain(text).split()
        if macro == ".OP":
            command.synopsis.add(words[0], len(words) > 1)
        elif macro == ".B":
            required = words[0]
            command.synopsis.add(required, False)
        elif macro == ".I" and required:
            command.synopsis.add(required, True)
            required = None
        elif macro == ".I":
            command.arguments += words
    command.options = explained_options(lines[end:])
    return command


def manual_commands(lines: list[str]) -> dict[str, Command]:
    parts: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith(".SS "):
            parts[plain(line[4:])] = current = []
        elif parts:
            current.append(line)
    return {name: manual_command(part) for name, part in parts.items()}


# --- both -------------------------------------------------------------------------------------

def compare(where: str, what: str, program: set[str], manual: set[str]) -> list[str]:
    return ([f"{where}: {what} '{name}' is in --help, not in the manual"
             for name in sorted(program - manual)] +
            [f"{where}: {what} '{name}' is in the manual, not in --help"
             for name in sorted(manual - program)])


def compare_options(where: str, program: Options, manual: Options, place: str = "option") -> list[str]:
    problems = compare(where, place, set(program.takes_value), set(manual.takes_value))
    for name in sorted(set(program.takes_value) & set(manual.takes_value)):
        if program.takes_value[name] != manual.takes_value[name]:
            takes = "takes a value" if program.takes_value[name] else "takes no value"
            problems.append(f"{where}: {place} '{name}' {takes}, and the manual says otherwise")
    return problems


def without(options: Options, *names: str) -> Options:
    return Options({k: v for k, v in options.takes_value.items() if k not in names})


def check(program: str, manual: Path) -> list[str]:
    sections = manual_sections(manual.read_text(encoding="utf-8").splitlines())
    ours = help_commands(program)
    theirs = manual_commands(sections.get("COMMANDS", []))
    if not ours:
        return ["--help lists no subcommand at all"]

    problems = compare_options("zraid-pool", help_options(help_text(program)),
                               explained_options(sections.get("OPTIONS", [])))
    problems += compare("zraid-pool", "subcommand", set(ours), set(theirs))
    for name in sorted(set(ours) & set(theirs)):
        # --help belongs to every command; the manual has it once, under OPTIONS.
        options = without(ours[name].options, "-h", "--help")
        problems += compare_options(name, options, theirs[name].options)
        problems += compare_options(name, options, theirs[name].synopsis, "option in the synopsis")
        if ours[name].arguments != theirs[name].arguments:
            problems.append(f"{name}: arguments are {ours[name].arguments} in --help, "
                            f"{theirs[name].arguments} in the manual")
    return problems


def main() -> int:
    if len(sys.argv) != 3:
        print((__doc__ or "").split("\n\n")[1], file=sys.stderr)
        return 2
    problems = check(sys.argv[1], Path(sys.argv[2]))
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
