"""A program on a terminal of its own: what it prints there, what it is answered.

Importable on the host as well.
"""

import os
import pty
import subprocess
from typing import Dict, List, NamedTuple, Optional


class Seen(NamedTuple):
    rc: int
    text: str                       # stdout and stderr, as the terminal got them


def on_terminal(words: List[str], answer: str = "", env: Optional[Dict[str, str]] = None,
                timeout: float = 60) -> Seen:
    """Run a program whose stdin, stdout and stderr are a terminal.

    The answer is typed ahead; the terminal echoes it.
    """
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer.encode())
        process = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                                   env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "xterm", **(env or {})})
        os.close(theirs)
        theirs = -1
        text = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:         # EIO: nobody has it open any more
                break
            if not piece:
                break
            text += piece
        return Seen(process.wait(timeout), text.decode(errors="replace"))
    finally:
        for fd in (ours, theirs):
            if fd >= 0:
                os.close(fd)
