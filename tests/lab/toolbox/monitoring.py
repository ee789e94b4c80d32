"""zraid-monitor, as tests run it.

Importable on the host as well, like zlab.
"""

import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from zlab import Lab

LOG = Path("/run/monitor.out")


class Monitor:
    """The service, in the foreground of a process of its own."""

    def __init__(self, lab: Lab):
        self._log = open(LOG, "w")
        lab.defer(self.end)
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(["zraid-monitor"], stdin=subprocess.DEVNULL,
                                        stdout=self._log, stderr=self._log)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        assert self.process.wait() == -signal.SIGKILL

    @contextmanager
    def paused(self) -> Iterator[None]:
        """It does nothing meanwhile."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def said(self) -> str:
        return LOG.read_text()

    def end(self) -> None:
        if self.process.poll() is None:
            self.kill()
        self._log.close()
