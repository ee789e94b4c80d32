"""mdadm's monitor and its mail: quiet about pools that are well, and about nothing else."""

import subprocess
from pathlib import Path
from typing import Dict, List

import zlab
from toolbox.faults import FlakyDisk, write_pattern
from toolbox.pools import Pool, make_pool, sparse
from zlab import MIB, Lab, counters, sh, wait_for, wait_state, zraid

SENDMAIL = Path("/usr/sbin/sendmail")       # where Debian's mdadm looks for it
CONFIGURATION = Path("/etc/mdadm/mdadm.conf")
FOREIGN = "/dev/md50"


class Administrator:
    """Has an mdadm.conf, gets mail, and has a program of his own called."""

    def __init__(self, lab: Lab):
        self.folder = lab.dir / "administrator"
        self.mails = self.folder / "mails"
        self.mails.mkdir(parents=True)
        SENDMAIL.unlink(missing_ok=True)        # the lab's view of it, that is
        self._script(lab, SENDMAIL, f'[ "$*" = -t ] && cat >"$(mktemp {self.mails}/XXXXXX)"')
        program = self.folder / "program"
        self._script(lab, program, f'echo "$*" >>{self.folder}/events')
        lab.defer(CONFIGURATION.write_text, CONFIGURATION.read_text())
        self.configuration = (f"# mine\nHOMEHOST <system>\nmailaddr\n  admin@example.org\n"
                              f"DEVICE partitions\nPROGRAM {program}")
        CONFIGURATION.write_text(self.configuration)
        CONFIGURATION.chmod(0o640)

    @staticmethod
    def _script(lab: Lab, path: Path, command: str) -> None:
        lab.defer(path.unlink)
        path.write_text(f"#!/bin/sh\n{command}\n")
        path.chmod(0o755)

    def events(self, device: str) -> List[str]:
        """What his program was told of a device, "Fail /dev/loop1" and the like."""
        file = self.folder / "events"
        lines = file.read_text().splitlines() if file.exists() else []
        words = [line.split() for line in lines]
        return [" ".join([word[0], *word[2:]]) for word in words if word[1] == device]

    def mail(self) -> Dict[str, str]:
        """All mails: subject -> text."""
        texts = [file.read_text() for file in sorted(self.mails.iterdir())]
        return {next((line[len("Subject: "):] for line in text.splitlines()
                      if line.startswith("Subject: ")), "unfinished"): text for text in texts}

    def wait_for_mail(self, event: str, device: str) -> str:
        subject = f"{event} event on {device}:lab"
        wait_for(lambda: "unused devices" in self.mail().get(subject, ""), f"a mail '{subject}'", 60)
        return self.mail()[subject]

    def forget(self) -> None:
        for file in self.mails.iterdir():
            file.unlink()


def add_foreign_array(lab: Lab) -> List[str]:
    """An array that is none of zraid's: without one, mdadm's monitor ends. Its members."""
    members = []
    for number in (1, 2):
        image = sparse(lab.dir / f"foreign{number}", 32 * MIB)
        loop = sh(["losetup", "--find", "--show", image]).out.strip()
        lab.defer(zlab.detach_loop, loop)
        members.append(loop)
    lab.defer(sh, ["mdadm", "--stop", FOREIGN])
    sh(["mdadm", "--create", FOREIGN, "--run", "--level=1", "--raid-devices=2", "--assume-clean",
        "--metadata=1.2", *members])
    return members


def start_monitor(lab: Lab) -> subprocess.Popen:
    """mdmonitor.service's command, which looks more often than once a minute."""
    monitor = subprocess.Popen(["mdadm", "--monitor", "--scan", "--delay=1"])
    lab.defer(stop_monitor, monitor)
    return monitor


def stop_monitor(monitor: subprocess.Popen) -> None:
    monitor.terminate()
    monitor.wait()


def oneshot() -> None:
    """What cron.daily/mdadm and mdmonitor-oneshot.service run."""
    sh(["mdadm", "--monitor", "--scan", "--oneshot"])


def verdicts(event: str, device: str) -> int:
    """How often zraid-md-alert has kept an event to itself."""
    return sum(f"{event} on {device}" in line and "nobody is told" in line
               for line in zlab.syslog().splitlines() if "zraid-md-alert" in line)


def ram_leg(pool: Pool) -> str:
    return pool.info()["ram"]["device"]


def fail_foreign(member: str) -> None:
    sh(["mdadm", FOREIGN, "--fail", member, "--remove", member])


@zlab.options(timeout=300)
def test_only_trouble_is_told(lab: Lab) -> None:
    """Without the filter, the monitor and the daily look mail about a pool that is well. With it
    they do not, and tell of an array of somebody else just what they told before."""
    administrator = Administrator(lab)
    members = add_foreign_array(lab)
    pool = make_pool(lab, "quiet", "64M", "--no-libvirt")
    monitor = start_monitor(lab)
    wait_for(lambda: "NewArray" in administrator.events(pool.md), "the monitor sees the pool", 60)
    pool.attach_and_fill()
    ram = ram_leg(pool)
    wait_for(lambda: f"SpareActive {ram}" in administrator.events(pool.md), "it sees the RAM leg", 60)
    zraid("detach", "quiet")
    administrator.wait_for_mail("Fail", pool.md)
    oneshot()
    administrator.wait_for_mail("DegradedArray", pool.md)
    fail_foreign(members[1])
    plain = administrator.wait_for_mail("Fail", FOREIGN)
    wait_for(lambda: f"Fail {members[1]}" in administrator.events(FOREIGN), "the program is called")
    stop_monitor(monitor)
    sh(["mdadm", FOREIGN, "--re-add", members[1]], check=False)
    sh(["mdadm", FOREIGN, "--add", members[1]], check=False)
    sh(["mdadm", "--wait", FOREIGN], check=False)

    assert "Not filtered" in zraid("mdadm-mail", "status").out
    assert "try-restart mdmonitor" in zraid("mdadm-mail", "filter").out
    filtered = CONFIGURATION.read_text()
    assert CONFIGURATION.stat().st_mode & 0o777 == 0o640
    assert zraid("mdadm-mail", "filter").out.startswith("Filtered")
    assert CONFIGURATION.read_text() == filtered
    administrator.forget()
    told = len(administrator.events(pool.md))
    monitor = start_monitor(lab)
    wait_for(lambda: verdicts("DegradedArray", pool.md), "the monitor sees the pool", 60)
    for turn in (1, 2):
        before = verdicts("SpareActive", pool.md), verdicts("Fail", pool.md)
        pool.attach_and_fill()
        wait_for(lambda: verdicts("SpareActive", pool.md) > before[0], "it sees the RAM leg", 60)
        oneshot()
        zraid("detach", "quiet")
        wait_for(lambda: verdicts("Fail", pool.md) > before[1], f"it sees detach {turn}", 60)
        oneshot()
    zraid("stop", "quiet")
    wait_for(lambda: verdicts("DeviceDisappeared", pool.md), "it sees the stop", 60)
    seen = verdicts("NewArray", pool.md)
    zraid("start", "quiet")
    wait_for(lambda: verdicts("NewArray", pool.md) > seen, "it sees the start", 60)
    second = make_pool(lab, "second", "32M", "--no-libvirt")
    # The monitor has no word for an array that it first saw half made, so another one has to look.
    oneshot()
    wait_for(lambda: verdicts("DegradedArray", second.md), "its verdict is in the log")
    assert administrator.mail() == {}
    assert len(administrator.events(pool.md)) == told and administrator.events(second.md) == []

    fail_foreign(members[1])
    passed_on = administrator.wait_for_mail("Fail", FOREIGN)
    assert head(passed_on) == head(plain), (passed_on, plain)
    assert members[1] in passed_on and "pool" not in passed_on.split("/proc/mdstat")[0]
    wait_for(lambda: administrator.events(FOREIGN).count(f"Fail {members[1]}") == 2,
             "the program is called")
    assert len(administrator.mail()) == 1
    oneshot()
    administrator.wait_for_mail("DegradedArray", FOREIGN)
    sh(["mdadm", "--monitor", "--scan", "--oneshot", "--test"])
    administrator.wait_for_mail("TestMessage", pool.md)
    assert f"DegradedArray event on {pool.md}:lab" not in administrator.mail()
    stop_monitor(monitor)

    assert zraid("mdadm-mail", "restore").out.startswith("Not filtered")
    assert CONFIGURATION.read_text() == administrator.configuration
    assert CONFIGURATION.stat().st_mode & 0o777 == 0o640


def head(mail: str) -> List[str]:
    return mail.split("\n\n")[0].splitlines()


@zlab.options(timeout=300)
def test_a_lost_disk_leg_is_told(lab: Lab) -> None:
    """The disk leg fails: the monitor's mail arrives through the filter, each day's too, until the
    pool is repaired."""
    administrator = Administrator(lab)
    add_foreign_array(lab)
    zraid("mdadm-mail", "filter")
    disk = FlakyDisk(lab)
    pool = make_pool(lab, "told", "64M", "--no-libvirt", image=disk.folder / "told.img")
    monitor = start_monitor(lab)
    wait_for(lambda: verdicts("DegradedArray", pool.md), "the monitor sees the pool", 60)
    pool.attach_and_fill()
    wait_for(lambda: verdicts("SpareActive", pool.md), "it sees the RAM leg", 60)
    assert administrator.mail() == {}
    loop = pool.info()["disk"]["device"]
    disk.switch("error")
    write_pattern(pool.md, 32 * MIB, 2 * MIB)
    wait_state("told", "ram-only")
    mail = administrator.wait_for_mail("Fail", pool.md)
    assert loop in mail and "pool 'told', ram-only: the disk leg is lost" in mail, mail
    wait_for(lambda: f"Fail {loop}" in administrator.events(pool.md), "the program is called")
    oneshot()
    assert "ram-only" in administrator.wait_for_mail("DegradedArray", pool.md)
    stop_monitor(monitor)

    assert zraid("repair", "told", check=False).rc == 1     # lets go of the file system
    disk.mend()
    zraid("repair", "told")
    wait_state("told", "mirrored")
    administrator.forget()
    zraid("detach", "told")
    oneshot()
    assert administrator.mail() == {}
    zraid("mdadm-mail", "restore")


def check(pool: Pool) -> int:
    """What the monthly checkarray and mdcheck do. Bytes read from the disk leg meanwhile."""
    loop = pool.info()["disk"]["device"]
    zlab.settle()                   # udev may still be looking at a new array
    before = counters(loop).read_sectors
    pool.mismatches()
    return (counters(loop).read_sectors - before) * 512


def test_a_check_without_ram_leg_reads_nothing(lab: Lab) -> None:
    """The monthly check of all arrays costs a pool between runs nothing; a mirrored one is read,
    as by scrub."""
    pool = make_pool(lab, "checked", "64M", "--no-libvirt")
    assert check(pool) == 0
    pool.attach_and_fill()
    assert check(pool) > 60 * MIB
    zraid("detach", "checked")
    assert check(pool) == 0
