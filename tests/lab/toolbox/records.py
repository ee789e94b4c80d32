"""Numbered, checksummed records at random places of a device, written with a flush each and told
of only then: what a power cut must not lose.

Importable on the host as well, like zlab.
"""

import hashlib
import mmap
import os
import random
import struct
import threading
from pathlib import Path
from typing import Dict, Optional

SIZE = 4096                     # one sector of the array: written whole or not at all
HEADER = struct.Struct("<16sQQ")
MAGIC = b"zraid record\0\0\0\0"


def make(number: int, place: int) -> bytes:
    """Content that follows from number and place alone, and does not compress to nothing."""
    header = HEADER.pack(MAGIC, number, place)
    block = hashlib.sha256(header).digest()
    body = (block * (SIZE // len(block)))[:SIZE - len(header)]
    return header + body


def number_in(content: bytes, place: int) -> Optional[int]:
    """The number of the record at this place; nothing if there is none, or it is damaged."""
    magic, number, where = HEADER.unpack_from(content)
    if magic != MAGIC or where != place or content != make(number, place):
        return None
    return number


class Writer(threading.Thread):
    """Writes records past the page cache until the machine ends, or stop() is called.

    Each is flushed, then its number and place are appended to the report, which must lie where
    the cut does not reach.
    """

    def __init__(self, device: str, places: range, report: Path, first: int):
        super().__init__(daemon=True)
        self.device, self.places, self.report = device, places, report
        self.number = first
        self.error: Optional[BaseException] = None
        self._ending = threading.Event()

    def run(self) -> None:
        try:
            self._write_all()
        except BaseException as error:  # told to whoever joins
            self.error = error

    def _write_all(self) -> None:
        device = os.open(self.device, os.O_RDWR | os.O_DIRECT)
        report = os.open(self.report, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        page = mmap.mmap(-1, SIZE)      # aligned, as O_DIRECT wants it
        try:
            while not self._ending.is_set():
                place = random.choice(self.places)
                page[:] = make(self.number, place)
                os.pwritev(device, [page], place * SIZE)
                os.fsync(device)
                os.write(report, f"{self.number} {place}\n".encode())
                self.number += 1
        finally:
            os.close(device)
            os.close(report)

    def stop(self) -> None:
        self._ending.set()
        self.join()
        if self.error:
            raise self.error


def reported(report: Path) -> Dict[int, int]:
    """Last reported number of each place."""
    numbers: Dict[int, int] = {}
    if report.exists():
        for line in report.read_text().splitlines():
            number, place = map(int, line.split())
            numbers[place] = number
    return numbers


def lost(device: str, report: Path, offset: int = 0) -> Dict[int, str]:
    """What the device lacks of all that was reported: place and why.

    A later record in the place is no loss: it was written and the cut came before its report.
    @param offset: of the places in the device, bytes
    """
    missing = {}
    with open(device, "rb") as file:
        for place, number in reported(report).items():
            file.seek(offset + place * SIZE)
            found = number_in(file.read(SIZE), place)
            if found is None or found < number:
                missing[place] = f"reported {number}, found {found}"
    return missing
