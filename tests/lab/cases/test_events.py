"""What happened to a pool is told from the journal."""

import json
import subprocess
from pathlib import Path

from toolbox.pools import hook, make_pool, prepare, release
from zlab import Domain, Lab, name_of, sh, wait_for, zraid


def start_journal(lab: Lab) -> None:
    """systemd's journal, which the lab goes without, in the place of the lab's own log."""
    log, aside = Path("/dev/log"), Path("/dev/log.lab")
    log.rename(aside)
    lab.defer(aside.rename, log)
    for folder in ("/run/systemd/journal", "/run/log/journal"):
        Path(folder).mkdir(parents=True, exist_ok=True)
    machine = Path("/etc/machine-id")
    if not machine.exists() or not machine.read_text().strip():
        machine.write_text("0123456789abcdef0123456789abcdef\n")
    journal = subprocess.Popen(["/lib/systemd/systemd-journald"], stdin=subprocess.DEVNULL)
    lab.defer(journal.wait)
    lab.defer(journal.terminate)
    socket = Path("/run/systemd/journal/dev-log")
    wait_for(socket.is_socket, "the journal listens")
    log.symlink_to(socket)


def lines_of(*fields: str) -> list:
    """What the journal has with these fields, oldest first."""
    out = sh(["journalctl", "--quiet", "--output=json", *fields], quiet=True, check=False).out
    return [json.loads(line) for line in out.splitlines()]


def test_fields_of_the_journal(lab: Lab) -> None:
    """journalctl POOL=, MD= and DOMAIN= find what the hook, zraid-pool and the monitor logged."""
    start_journal(lab)
    pool, other = make_pool(lab, "field", "64M", "--no-libvirt"), make_pool(lab, "field2", "64M", "--no-libvirt")
    domain = Domain("fielded", [{"dev": pool.md}])
    md = f"MD={name_of(pool.md)}"
    assert prepare(domain).rc == 0
    hooked = wait_for(lambda: lines_of("POOL=field", "DOMAIN=fielded", md, "SYSLOG_IDENTIFIER=zraid-hook"),
                      "the hook's lines are in the journal")
    assert any("done: make the RAM leg" in line["MESSAGE"] for line in hooked), hooked
    assert all(line["PRIORITY"] == "6" and line["SYSLOG_PID"] == line["_PID"] for line in hooked), hooked
    assert release(domain).rc == 0
    # An error is told further out than where it is known which pool it is about.
    zraid("stop", "field2")
    other.image.rename(other.image.with_suffix(".gone"))
    lab.defer(other.image.with_suffix(".gone").rename, other.image)
    assert prepare(Domain("unlucky", [{"dev": other.md}])).rc == 1
    assert zraid("start", "field2", check=False).rc == 1
    failed = wait_for(lambda: [line for line in lines_of("POOL=field2", "SYSLOG_IDENTIFIER=zraid-pool")
                               if line["MESSAGE"].startswith("failed: ")], "the failure is in the journal")
    assert len(failed) == 1, failed
    errors = lines_of("POOL=field2", "DOMAIN=unlucky", "PRIORITY=3")
    assert len(errors) == 1 and "prepare begin" in errors[0]["MESSAGE"], errors
    assert not any("field2" in line["MESSAGE"] for line in lines_of("POOL=field")), "another pool's"
    assert hook("fielded", "prepare", "begin", "no XML").rc == 1
    (broken,) = wait_for(lambda: lines_of("DOMAIN=fielded", "PRIORITY=3"), "the error is in the journal")
    assert "POOL" not in broken, broken


def test_what_happened_is_told(lab: Lab) -> None:
    """events tells what zraid and the kernel said of this pool, and of no other, oldest first."""
    start_journal(lab)
    pool, other = make_pool(lab, "told", "64M", "--no-libvirt"), make_pool(lab, "told2", "64M", "--no-libvirt")
    pool.attach_and_fill()
    zram = pool.info()["ram"]["device"]
    sh(["mdadm", pool.md, "--fail", zram])
    zraid("detach", "told")

    def told() -> list:
        events = json.loads(zraid("events", "told", "--json", quiet=True).out)
        return events if any("give the RAM leg's memory back" in event["message"] for event in events) else []
    events = wait_for(told, "the detach is in the journal")
    messages = [event["message"] for event in events]
    made = next(i for i, text in enumerate(messages) if "done: make the RAM leg" in text)
    # The kernel's log goes back to the boot, and other pools had that array's number.
    lost = max(i for i, event in enumerate(events)
               if event["source"] == "kernel" and "Disk failure" in event["message"])
    gone = next(i for i, text in enumerate(messages) if "give the RAM leg's memory back" in text)
    assert made < lost < gone, messages
    assert not any("told2" in text or "\n" in text for text in messages), messages
    lines = zraid("events", "told", "--lines", "2").out.splitlines()
    assert len(lines) == 2 and lines[-1].endswith(messages[-1]), lines
    assert zraid("events", "told", "--since", "tomorrow").out == ""
    assert zraid("events", "nobody", check=False).rc == 1
    assert other.now().state == "disk-only"
