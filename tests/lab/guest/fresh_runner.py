"""Runs on the fresh host (hostside/fresh_host.py): this boot's steps, then a reboot.

Steps build upon each other and so run in one process. One JSON object a line tells the host what
became of each.
"""

import json
import os
import re
import signal
import subprocess
import sys
import traceback
from pathlib import Path

sys.dont_write_bytecode = True
for folder in ("", "fresh"):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / folder))

import test_host  # noqa: E402
import zlab  # noqa: E402

STEP_LIMIT = 900
port = os.open("/dev/ttyS1", os.O_WRONLY | os.O_NOCTTY)


def tell(event: str, **more) -> None:
    os.write(port, json.dumps({"event": event, **more}).encode() + b"\n")


def too_late(*_) -> None:
    raise TimeoutError("the step's time is over")


def run(entry: dict) -> str:
    """Run one step; why it failed, or ''."""
    folder = zlab.SHARE / "tests" / entry["name"]
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "output", "a", buffering=1) as output:
        sys.stdout = sys.stderr = output
        signal.alarm(STEP_LIMIT)
        try:
            getattr(test_host, entry["function"])()
            return ""
        except Exception as error:
            traceback.print_exc(file=output)
            signal.alarm(60)
            for command in ("systemctl --failed --no-legend", "cat /proc/mdstat", "losetup -a",
                            "journalctl -b --no-pager -n 150"):
                answer = subprocess.run(command.split(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
                output.write(f"--- {command}\n{answer.stdout.decode(errors='replace')}")
            return f"{type(error).__name__}: {error}"[:3000]
        finally:
            signal.alarm(0)
            sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__


def main() -> None:
    signal.signal(signal.SIGALRM, too_late)
    boot = re.search(r"lab\.boot=(\d+)", Path("/proc/cmdline").read_text()).group(1)
    # Units that failed are a step's business.
    subprocess.run(["systemctl", "is-system-running", "--wait"], stdout=subprocess.DEVNULL, check=False)
    tell("up")
    for entry in json.loads((zlab.SHARE / f"boot-{boot}" / "plan.json").read_text()):
        tell("end", why=run(entry))
    tell("done")
    subprocess.run(["systemctl", "--no-block", "reboot"], check=True)


main()
