"""Runs in the guest: ask the host for test after test, tell it what happens.

Host (hostside/runs.py) and runner write one JSON object a line to the job port. Each
test runs in a process of its own, so that one that hangs or is killed by its own
fault does not take the others with it.
"""

import importlib.util
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import zlab  # noqa: E402
from zlab.libvirt import load_library  # noqa: E402

PASSED, FAILED, REBOOT = 0, 1, 10
CLEAN_UP_LIMIT = 120                # seconds for what a test deferred
port = os.open("/dev/ttyS1", os.O_WRONLY | os.O_NOCTTY)


def tell(event: str, **more) -> None:
    os.write(port, json.dumps({"event": event, **more}).encode() + b"\n")


class TestTimeout(Exception):
    pass


# --- in the process of a test

def too_late(*_) -> None:
    raise TestTimeout("the test's time is over")


def be_the_test(entry: dict) -> int:
    """Run one phase of one test; the value becomes the process's exit status."""
    os.setpgid(0, 0)
    folder = zlab.SHARE / "tests" / entry["name"]
    folder.mkdir(parents=True, exist_ok=True)
    # What the host sends is for the runner.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    output = os.open(folder / "output", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout = sys.stderr = open(1, "w", buffering=1, closefd=False)
    signal.signal(signal.SIGALRM, too_late)
    signal.alarm(max(1, int(entry["timeout"])))
    lab = zlab.Lab(entry["name"], entry["phase"], tell)
    if lab.phase:
        print(f"=== phase {lab.phase}")
    result = PASSED
    try:
        function(entry)(lab)
    except zlab.Reboot:
        result = REBOOT
    except BaseException:
        result = FAILED
        remember_failure(folder, entry["file"])
    signal.alarm(CLEAN_UP_LIMIT)
    try:
        lab.clean_up(keep_going=result == FAILED)
    except BaseException:
        remember_failure(folder, entry["file"])
        result = FAILED
    return result


def function(entry: dict):
    spec = importlib.util.spec_from_file_location(Path(entry["file"]).stem, entry["file"])
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return getattr(module, entry["function"])


def remember_failure(folder: Path, file: str) -> None:
    traceback.print_exc()
    kind, error, trace = sys.exc_info()
    where = [frame for frame in traceback.extract_tb(trace) if frame.filename == file]
    line = f" (line {where[-1].lineno}: {where[-1].line})" if where else ""
    with open(folder / "why", "a") as why:
        why.write(f"{kind.__name__}: {error}".rstrip() + f"{line}\n")


# --- around it

def wait_for_child(pid: int, limit: float):
    """Exit status of the child as waitpid gives it, None if it does not end."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return status
        time.sleep(0.02)
    return None


def run_phase(entry: dict):
    pid = os.fork()
    if pid == 0:
        status = FAILED
        try:
            status = be_the_test(entry)
        finally:
            os._exit(status)
    status = wait_for_child(pid, entry["timeout"] + CLEAN_UP_LIMIT + 5)
    # Daemons have left the group; what is still in it belongs to the test alone.
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    if status is None:
        status = wait_for_child(pid, 10)
        return "the test hung and was killed" + ("" if status is not None else ", but does not die")
    if os.WIFSIGNALED(status):
        return f"the test's process was killed by signal {os.WTERMSIG(status)}"
    return os.WEXITSTATUS(status)


def collect_evidence(name: str) -> None:
    """Append to the report what may explain a failure."""
    commands = [
        "dmesg | tail -n 60", "cat /proc/mdstat", "losetup -a", "lsblk -o NAME,SIZE,LOG-SEC,TYPE,MOUNTPOINTS",
        "virsh list --all; virsh pool-list --all", "ls -lR /run/zraid /etc/zraid",
        "tail -n 60 /run/lab/log/syslog", "tail -n 60 /run/lab/log/libvirtd.log",
        "tail -n 20 /var/log/libvirt/qemu/*.log", "ps axo pid,ppid,stat,wchan:20,args | grep -v '\\]$'",
    ]
    with open(zlab.SHARE / "tests" / name / "output", "a") as report:
        report.write("\n=== state of the guest after the failure\n")
        for command in commands:
            report.write(f"--- {command}\n")
            try:
                done = zlab.subprocess.run(["timeout", "-k", "1", "10", "sh", "-c", command],
                                           stdin=zlab.subprocess.DEVNULL, stdout=zlab.subprocess.PIPE,
                                           stderr=zlab.subprocess.STDOUT, timeout=15)
                report.write(done.stdout.decode(errors="replace"))
            except zlab.subprocess.TimeoutExpired:
                report.write("(no answer)\n")
            report.flush()


def run_test(entry: dict, baseline: zlab.Baseline) -> bool:
    """Run, judge and report one test; False if this boot must not be used further."""
    name = entry["name"]
    tell("begin", test=name)
    outcome = run_phase(entry)
    if outcome == REBOOT:
        tell("reboot", test=name)
        return False
    folder = zlab.SHARE / "tests" / name
    why = []
    if outcome != PASSED:
        reason = folder / "why"
        why.append(reason.read_text().strip() if reason.exists() else str(outcome))
    try:
        why += [f"left over: {thing}" for thing in zlab.leftovers(baseline)]
    except Exception as error:
        why.append(f"the check for leftovers failed: {error}")
    if why:
        collect_evidence(name)
    else:
        zlab.remove_scratch(name)
    tell("end", test=name, why="\n".join(why)[:3000])
    return not why


def main() -> None:
    baseline = zlab.Baseline.now()
    load_library()
    tell("ready")
    # The host ends the machine when it has no more.
    for line in sys.stdin:
        if not run_test(json.loads(line), baseline):
            return
        tell("ready")


main()
