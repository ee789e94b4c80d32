"""A domain without an operating system that writes records to its disk and tells of each outside
the machine; see writer.s.

Importable on the host as well, like zlab.
"""

import struct
from pathlib import Path
from typing import Dict

from zlab import CHECKOUT, Domain, sh

SIZE = 4096
PLACES = 2048


def boot_code(first: int, seed: int) -> bytes:
    """The boot sector, all but its last two bytes; its first record has this number."""
    obj, binary = Path("/run/writer.o"), Path("/run/writer.bin")
    sh(["as", "--32", "-o", obj, CHECKOUT / "tests" / "lab" / "programs" / "writer.s"])
    sh(["ld", "-m", "elf_i386", "-Ttext=0x7c00", "--oformat=binary", "-o", binary, obj])
    code = bytearray(binary.read_bytes())
    assert len(code) == 512 and code[510:] == b"\x55\xaa"
    code[502:510] = struct.pack("<II", first, seed)
    return bytes(code[:510])


def record(number: int, place: int) -> bytes:
    words = [0x6463727A, number, place]
    value = (number * 0x01000193 ^ place) & 0xFFFFFFFF
    for _ in range(1021):
        words.append(value)
        value = (value * 1664525 + 1013904223) & 0xFFFFFFFF
    return struct.pack("<1024I", *words)


def start(name: str, disk: str, report: Path, first: int) -> Domain:
    """Define and start the domain; it tells in the report."""
    # The BIOS leaves disks alone that are in no boot order.
    domain = Domain(name, [{"dev": disk, "xml": "<boot order='2'/>"}], boot_code(first, first * 2654435761 & 0xFFFFFFFF),
                    serial=report)
    domain.start()
    return domain


def reported(report: Path) -> Dict[int, int]:
    """Last reported number of each place."""
    numbers: Dict[int, int] = {}
    text = report.read_text(errors="replace") if report.exists() else ""
    for line in text.splitlines(keepends=True):
        words = line.split()
        # A cut may end a line early, and the next boot goes on behind it.
        if line.endswith("\n") and len(words) == 2 and all(len(word) == 8 for word in words):
            numbers[int(words[1], 16)] = int(words[0], 16)
    return numbers


def last_number(report: Path) -> int:
    return max(reported(report).values(), default=0)


def lost(disk: str, report: Path) -> Dict[int, str]:
    """What the disk lacks of all that was reported: place and why."""
    missing = {}
    with open(disk, "rb") as file:
        for place, number in reported(report).items():
            file.seek(place * SIZE)
            found = file.read(SIZE)
            there = struct.unpack_from("<I", found, 4)[0]
            # A later one was written, and the cut came before its report.
            if there < number or found != record(there, place):
                missing[place] = f"reported {number}, found {there}"
    return missing
